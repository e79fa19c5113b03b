//! What helm and kubectl really answered, each version of them, and what is made of it. Recorded
//! with `tests/answers/record`, which says how.

mod calls;
mod helm;
mod kubectl;

use std::fs;

use super::cmd::{Cmd, Tool};
use super::failure;
use super::kubectl::{says_interrupted, says_not_found, says_try_again};
use super::output::Output;

/// A call in one situation.
struct Situation {
    name: String,
    /// As it was typed.
    call: String,
    cmd: Cmd,
    /// Each answer, with the versions that give it.
    answers: Vec<(String, Output)>,
}

/// The recorded situations, in the order of their names.
fn situations(tool: Tool) -> Vec<Situation> {
    let folder = format!("{}/tests/answers/{}", env!("CARGO_MANIFEST_DIR"), tool.name());
    let mut files: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 40, "{files:?}");
    let situation = |file: &std::path::PathBuf| {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        let head = format!("\n== {} ", tool.name());
        let mut parts = text.split(&head);
        let call = parts.next().unwrap().strip_prefix("$ ").unwrap();
        let cmd = Cmd::new(tool, call.split(' ').skip(1));
        Situation { name, call: call.to_owned(), cmd, answers: parts.map(answer).collect() }
    };
    files.iter().map(situation).collect()
}

/// `VERSIONS: CODE`, then what was printed.
fn answer(text: &str) -> (String, Output) {
    let (head, printed) = text.split_once('\n').unwrap_or((text, ""));
    let (versions, code) = head.split_once(": ").unwrap();
    let (stdout, stderr) = printed.split_once("-- stderr\n").unwrap_or((printed, ""));
    let owned = |text: &str| text.trim_end().to_owned();
    let stdout = owned(stdout.strip_prefix("-- stdout\n").unwrap_or_default());
    (versions.to_owned(), Output { code: code.parse().ok(), stdout, stderr: owned(stderr) })
}

/// What is made of the answers in each situation whose name begins so; told once where it is the
/// same for all versions.
fn table(tool: Tool, part: &str, read: fn(&str, &Output) -> String) -> String {
    let mut lines = Vec::new();
    for Situation { name, cmd, answers, .. } in situations(tool) {
        if name != part && !name.starts_with(&format!("{part}-")) {
            continue;
        }
        lines.push(name.clone());
        let mut made: Vec<(String, Vec<String>)> = Vec::new();
        for (versions, output) in answers {
            let what = match output.code {
                Some(0) => read(&name, &output),
                // A comparison that found something.
                Some(1) if output.stderr.is_empty() => read(&name, &output),
                _ => failed(&cmd, &output),
            };
            match made.iter_mut().find(|(other, _)| *other == what) {
                Some((_, all)) => all.push(versions),
                None => made.push((what, vec![versions])),
            }
        }
        let alike = made.len() == 1;
        for (what, versions) in made {
            if !alike {
                lines.push(format!("  {}", versions.join(" ")));
            }
            let indent = if alike { "  " } else { "    " };
            lines.extend(what.lines().map(|line| format!("{indent}{line}").trim_end().to_owned()));
        }
    }
    lines.join("\n")
}

/// Reads what was written to stderr.
type Says = fn(&str) -> bool;

/// The exit code that it leads to, the error, the hint, and whether it is worth to look again.
fn failed(cmd: &Cmd, output: &Output) -> String {
    let fail = failure::explain(cmd, output);
    let error = fail.error.replace(&format!("running `{cmd}`: "), "");
    let hint = fail.hint.map_or_else(|| "no hint".to_owned(), |hint| format!("hint: {hint}"));
    let mut lines = vec![format!("{:?}: {error}", fail.exit), hint];
    let says: [(&str, Says); 3] = [
        ("not found", says_not_found),
        ("try again", says_try_again),
        ("interrupted", says_interrupted),
    ];
    let says = says.into_iter().filter(|(_, says)| says(&output.stderr)).map(|(what, _)| what);
    let says = says.collect::<Vec<_>>().join(", ");
    lines.extend((!says.is_empty()).then(|| format!("says: {says}")));
    lines.join("\n")
}

/// Whether every situation is in one of these tables.
fn are_all(tool: Tool, parts: &[&str]) {
    let told = |name: &str| {
        parts.iter().any(|part| name == *part || name.starts_with(&format!("{part}-")))
    };
    let names = situations(tool).into_iter().map(|situation| situation.name);
    assert_eq!(names.filter(|name| !told(name)).collect::<Vec<_>>(), Vec::<String>::new());
}
