//! `okemon render DIR`: values, manifests and dashboards as files, with the plain commands, for
//! `GitOps` or for going on without okemon.

use std::io;
use std::path::Path;

use super::plan;
use crate::config::Config;
use crate::environment::Environment;
use crate::fail::{Exit, Fail};
use crate::plan::show::{self, sh};

/// The first line of the README by which okemon knows a directory as its own.
const MARK: &str = "# What okemon installs\n";
/// What stands before the list of files in it.
const FILES: &str = "\n## Files\n\n";
/// Where those files lie.
const DIRECTORIES: [&str; 2] = ["values", "manifests"];

/// Writes the files, and says which.
///
/// # Errors
/// When the directory holds something else, or cannot be written.
pub fn render(
    config: &Config,
    environment: &Environment,
    skip_crds: bool,
    directory: &Path,
) -> Result<String, Fail> {
    let config = &wherever(config.clone());
    let (plan, notes) = plan::plan(config, environment, None, skip_crds)?;
    let about = plan::about(config, &notes);
    let rendered = sh::render(&plan, &about, &show::kubeconfig(config))
        .map_err(|error| Fail::new(Exit::Failed, format!("rendering the plan: {error:#}")))?;
    let cannot = |path: &Path, error: &io::Error| {
        Fail::system(Exit::Failed, format!("writing into {}", path.display()), error)
    };
    let Some(earlier) = earlier(directory).map_err(|error| cannot(directory, &error))? else {
        let error = format!("writing into {}: it holds something else", directory.display());
        let fail = Fail::new(Exit::Refused, error);
        return Err(fail.hint("name a directory that is new or empty"));
    };
    let commands = after_head(&rendered.script);
    let mut files = rendered.files;
    files.insert("README.md".to_owned(), readme(&about, &commands, files.keys()));
    files.insert("install.sh".to_owned(), rendered.script);
    // What is wanted no more would still be applied by whoever takes the directory as it is. It goes
    // before the README that names it does.
    for path in written(&earlier).filter(|path| !files.contains_key(*path)) {
        remove(&directory.join(path))?;
    }
    for (path, text) in &files {
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(directory);
        let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| cannot(&path, &error))?;
    }
    Ok(files.keys().map(|path| format!("{}\n", directory.join(path).display())).collect())
}

/// The same configuration for a script that is run in another directory.
fn wherever(mut config: Config) -> Config {
    let kubeconfig = config.clusters.iter_mut().map(|cluster| &mut cluster.kubeconfig);
    for path in kubeconfig.chain([&mut config.chart_directory]).flatten() {
        if let Ok(absolute) = std::path::absolute(&*path) {
            *path = absolute;
        }
    }
    config
}

/// The README of what was rendered into the directory before; empty, when there is nothing; none: it
/// holds something else.
fn earlier(directory: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(directory.join("README.md")) {
        Ok(text) => return Ok(text.starts_with(MARK).then_some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match std::fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none().then(String::new)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(String::new())),
        Err(error) => Err(error),
    }
}

/// The files that a README lists, as far as okemon may have written them: it is a text that anybody
/// can edit.
fn written(readme: &str) -> impl Iterator<Item = &str> {
    let (_, list) = readme.split_once(FILES).unwrap_or_default();
    let items = list.lines().map_while(|line| line.strip_prefix("- `")?.strip_suffix('`'));
    items.filter(|path| {
        let below = |name: &str| name.strip_suffix(".yaml").is_some_and(|name| !name.contains('/'));
        path.split_once('/')
            .is_some_and(|(directory, name)| DIRECTORIES.contains(&directory) && below(name))
    })
}

fn remove(path: &Path) -> Result<(), Fail> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            let attempt = format!("removing {} of an earlier render", path.display());
            Err(Fail::system(Exit::Failed, attempt, &error))
        }
        _ => Ok(()),
    }
}

/// The commands of a script, without what every script begins with.
fn after_head(script: &str) -> String {
    script.find("\n# look at").map_or("", |start| &script[start + 1..]).to_owned()
}

fn readme<'a>(about: &[String], commands: &str, files: impl Iterator<Item = &'a String>) -> String {
    let about: String = about.iter().map(|line| format!("- {line}\n")).collect();
    let files: String = files.map(|file| format!("- `{file}`\n")).collect();
    format!(
        "{MARK}\n{about}{FILES}{files}\n## Install\n\n\
         On an empty cluster, with kubectl, helm, openssl and curl:\n\n\
         ```sh\nexport OKEMON_S3_ACCESS_KEY=... OKEMON_S3_SECRET_KEY=...\nsh install.sh\n```\n\n\
         What it runs in this directory, with the functions `sha256` and `s3` that stand at its head:\n\n\
         ```sh\n{commands}```\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readme_says_which_files_were_written_with_it_and_no_other_file_is_named() {
        let files = [
            "manifests/storeapi.yaml",
            "values/thanos.yaml",
            "README.md",
            "values/../../a.yaml",
            "/etc/a.yaml",
            "values/a/b.yaml",
            "values/thanos",
            "mine/a.yaml",
        ];
        let files = files.map(str::to_owned);
        let text = readme(&["cluster `sin`".to_owned()], "- `values/no.yaml`\n", files.iter());
        let found: Vec<_> = written(&text).collect();
        assert_eq!(found, ["manifests/storeapi.yaml", "values/thanos.yaml"]);
        assert_eq!(written("").count(), 0);
    }
}
