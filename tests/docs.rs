//! The documentation is true: links lead somewhere, commands can be typed, configurations are valid,
//! outputs are those of the program, tables those of the code.
//!
//! `OKEMON_BLESS=1 cargo test --test docs` writes tables and outputs anew. What a real install prints is
//! compared in `tests/e2e/docs.rs`.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts okemon itself")]

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use clap::Parser as _;
use okemon::cli::Cli;
use okemon::config::{CLUSTER, Charts, Known, REGION, SETTINGS, schema};
use okemon::content::{images::Images, sizes};
use okemon::diagnose::catalogue::{CATALOGUE, Entry};
use serde_json::Value;

#[path = "docs/page.rs"]
mod page;

use page::{anchors, links, pages, root};

#[test]
fn every_link_leads_somewhere() {
    let mut lost = Vec::new();
    for page in pages() {
        for link in links(&page.prose()) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.path.clone(),
                file => page.path.parent().unwrap().join(file),
            };
            let there = target.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor));
            if !there {
                lost.push(format!("{}: {link}", page.name()));
            }
        }
    }
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn every_file_that_is_named_exists() {
    let mut lost = Vec::new();
    for page in pages() {
        let paths = page.spans().into_iter().filter(|span| {
            ["src/", "docs/", "tests/", "templates/"].iter().any(|top| span.starts_with(top))
                && !span.contains([' ', '*', '='])
                && !["NAME", "CHART"].iter().any(|stand_in| span.contains(stand_in))
        });
        let from = page.path.parent().unwrap();
        lost.extend(
            paths
                .filter(|path| !root().join(path).exists() && !from.join(path).exists())
                .map(|path| format!("{}: {path}", page.name())),
        );
    }
    assert_eq!(lost, Vec::<String>::new());
}

#[test]
fn every_command_can_be_typed() {
    let mut wrong = Vec::new();
    for page in pages() {
        let blocks = page.blocks();
        let lines = blocks.iter().filter(|block| block.language != "text").flat_map(|block| {
            let joined = block.text.replace("\\\n", " ");
            joined.lines().map(str::to_owned).collect::<Vec<_>>()
        });
        let marks =
            blocks.iter().filter_map(|block| Some(block.mark.split_once(": ")?.1.to_owned()));
        for line in lines.chain(page.spans()).chain(marks) {
            let Some(arguments) = arguments(&line) else { continue };
            if let Err(error) = Cli::try_parse_from(&arguments)
                && error.use_stderr()
            {
                wrong.push(format!("{}: {line}\n{error}", page.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_configuration_is_valid() {
    for page in pages() {
        for block in page.blocks().iter().filter(|b| b.is_configuration() && b.mark != "refused") {
            let machine = Machine::with(&block.text);
            let (code, printed) = machine.okemon("okemon plan");
            assert_eq!(code, Some(0), "{}:\n{}\n{printed}", page.name(), block.text);
        }
    }
}

#[test]
fn every_output_is_that_of_the_command() {
    for page in pages() {
        let mut configuration = String::new();
        let mut anew = Vec::new();
        for block in page.blocks() {
            if block.is_configuration() {
                configuration.clone_from(&block.text);
            }
            let Some((kind, command)) = block.mark.split_once(": ") else { continue };
            let Some(code) = kind.strip_prefix("output") else { continue };
            let (ended, printed) = Machine::with(&configuration).okemon(command);
            assert_eq!(ended, Some(code.trim().parse().unwrap_or(0)), "{command}\n{printed}");
            if !fits(&block.text, &printed) {
                anew.push((block.at, printed));
            }
        }
        page.settle(anew);
    }
}

#[test]
fn every_table_is_the_codes() {
    for page in pages() {
        let mut anew = Vec::new();
        let mut from = 0;
        while let Some(start) = page.text[from..].find("\n<!-- table: ").map(|at| from + at + 1) {
            let head = page.text[start..].find('\n').map(|at| start + at + 1).unwrap();
            let name = page.text[start..head].trim().trim_start_matches("<!-- table: ");
            let end = head + page.text[head..].find("<!-- end -->").unwrap();
            let table = match name.trim_end_matches(" -->") {
                "settings" => settings(),
                "sizes" => sizes::table_markdown(),
                "images" => images(),
                "findings" => findings(),
                other => panic!("{}: there is no table {other}", page.name()),
            };
            if page.text[head..end].trim() != table.trim() {
                anew.push((head..end, table));
            }
            from = end;
        }
        page.settle(anew);
    }
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = Machine::with("").okemon("okemon --help").1;
    let said = help.split("Exit codes: ").nth(1).unwrap();
    let numbers = |text: &str| -> BTreeSet<u8> {
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
    };
    let page = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let table = page.split("## Exit codes").nth(1).unwrap().lines();
    let first_column: Vec<&str> =
        table.filter_map(|line| line.strip_prefix("| ")?.split('|').next()).collect();
    assert_eq!(numbers(&first_column.join(" ")), numbers(said));
}

#[test]
fn the_picture_is_that_of_the_recording() {
    let output = Command::new(root().join("docs/images/make")).arg("--check").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every key, with its flag and variable. What may stand in a cluster too has one row.
fn settings() -> String {
    let schema = schema::schema();
    let all = keys("", &schema);
    let is_above = |key: &&String| {
        let name = key.strip_prefix("clusters[].").unwrap_or_default();
        all.iter().any(|other| other == name || *other == format!("objectStorage.{name}"))
    };
    let row = |key: &String| {
        let flag = flag(key).map_or("| | |".to_owned(), |known| {
            format!("| `--{} {}` | `{}` |", known.flag, known.value, known.variable)
        });
        format!("| `{key}` | {} {flag}\n", schema::about(&schema, key))
    };
    let rows: Vec<_> = all.iter().filter(|key| !is_above(key)).map(row).collect();
    "| key | | flag | variable |\n|---|---|---|---|\n".to_owned() + &rows.concat()
}

/// The flag of a key, or of the same key in a cluster.
fn flag(key: &str) -> Option<&'static Known> {
    let in_cluster = format!("clusters[].{}", key.strip_prefix("objectStorage.").unwrap_or(key));
    let known = SETTINGS.iter().chain([&REGION, &CLUSTER]);
    known.into_iter().find(|known| known.key == key || known.key == in_cluster)
}

/// The keys that hold values, in the file's words: `clusters[].context`.
fn keys(path: &str, schema: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let key = format!("{path}{name}");
        let mut below = keys_below(&key, property);
        if below.is_empty() {
            below.push(key);
        }
        keys.extend(below);
    }
    keys
}

fn keys_below(key: &str, property: &Value) -> Vec<String> {
    match &property["items"] {
        // As Kubernetes spells them; one row is enough.
        _ if key.ends_with("tolerations") => vec![],
        Value::Null => keys(&format!("{key}."), property),
        items => keys(&format!("{key}[]."), items),
    }
}

fn images() -> String {
    let images = Images::new(Charts::Bitnami, None);
    let row = |image: &okemon::content::images::Image| format!("| `{image}` |\n");
    "| image |\n|---|\n".to_owned() + &images.all().map(row).concat()
}

/// A section for each id of the catalogue.
fn findings() -> String {
    let section = |entry: &Entry| {
        let Entry { name, title, meaning, remedy, .. } = entry;
        let see = entry.see.join("\n");
        let link = |link: &&str| format!("[{}]({link})", site(link));
        let more: Vec<String> = entry.more.iter().map(link).collect();
        let more =
            if more.is_empty() { String::new() } else { format!(" More: {}.", more.join(", ")) };
        format!("### {name}: {title}\n\n{meaning}\n\n```sh\n{see}\n```\n\n{remedy}{more}\n\n")
    };
    CATALOGUE.iter().map(section).collect()
}

/// Whose page it is.
fn site(link: &str) -> &str {
    link.trim_start_matches("https://").split('/').next().unwrap_or(link)
}

/// A place with a configuration and nothing else: no tool, no network, no home.
struct Machine(tempfile::TempDir);

impl Machine {
    fn with(configuration: &str) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        let at = |name: &str| machine.0.path().join(name);
        fs::write(at("okemon.yaml"), configuration).unwrap();
        fs::create_dir_all(at("home/bin")).unwrap();
        fs::create_dir_all(at("charts")).unwrap();
        for chart in ["kube-prometheus-1.0.0", "thanos-1.0.0", "grafana-1.0.0"] {
            fs::write(at("charts").join(chart).with_added_extension("tgz"), "").unwrap();
        }
        let values: Value = serde_yaml::from_str(configuration).unwrap_or_default();
        for file in values["values"].as_object().into_iter().flat_map(|files| files.values()) {
            let file = at(file.as_str().unwrap());
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        machine
    }

    /// The exit code, and all that is printed.
    fn okemon(&self, command: &str) -> (Option<i32>, String) {
        let home = self.0.path().join("home");
        let output = Command::new(env!("CARGO_BIN_EXE_okemon"))
            .args(&arguments(command).unwrap()[1..])
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", home.join("bin"))
            .env("HOME", &home)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap().replace(&home.display().to_string(), "~");
        (output.status.code(), text)
    }
}

/// The words of a line that starts okemon; none: it does not.
fn arguments(line: &str) -> Option<Vec<String>> {
    let mut line = line.trim();
    for prompt in ["- ", "run: ", "$ "] {
        line = line.strip_prefix(prompt).unwrap_or(line);
    }
    if !line.starts_with("okemon ") || line.contains("...") {
        return None;
    }
    let ends = |word: &&str| word.starts_with('#') || ["|", ">", "&&", ";"].contains(word);
    Some(line.split_whitespace().take_while(|word| !ends(word)).map(str::to_owned).collect())
}

/// Whether `printed` is what the page shows; a line `...` there stands for any number of lines.
fn fits(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split("...\n");
    let Some(mut rest) = parts.next().and_then(|first| printed.strip_prefix(first)) else {
        return false;
    };
    let mut open = false;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        open = part.is_empty();
    }
    open || rest.trim().is_empty()
}
