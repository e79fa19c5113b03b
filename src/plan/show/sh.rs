//! A plan as a script that needs no okemon: for whoever goes on without it, or wants to read what it
//! does as one would do it by hand.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use anyhow::Result;

use crate::content::doc::{Doc, SecretName};
use crate::fail::Exit;
use crate::plan::chart::UNKNOWN_DIGEST;
use crate::plan::cluster::Cluster;
use crate::plan::objects::Care;
use crate::plan::{Call, Decision, Effect, Intent, Plan, Step};
use crate::tools::cmd::{Cmd, Stdin, quote};
use crate::tools::s3::{Act, S3Request};

const HEAD: &str = include_str!("../../../templates/script/head.sh");
const KEYS: &str = include_str!("../../../templates/script/keys.sh");

/// The secret that is made up by whoever installs.
const MADE_UP: SecretName = SecretName::GrafanaAdminPassword;

/// A script, and the files beside it that it reads.
#[derive(Debug)]
pub struct Rendered {
    pub script: String,
    /// Each file's path, below the script's directory, and what is in it.
    pub files: BTreeMap<String, String>,
}

/// The whole plan, for an empty cluster, in one script. `about` says what it is about, a line each;
/// `kubeconfig` is the [line](super::kubeconfig) by which its context is found.
///
/// # Errors
/// When a template cannot be rendered.
pub fn sh(plan: &Plan, about: &[String], kubeconfig: &str) -> Result<String> {
    script(plan, about, kubeconfig, &mut None)
}

/// The same with values and manifests as files of their own, except those with secrets.
///
/// # Errors
/// When a template cannot be rendered.
pub fn render(plan: &Plan, about: &[String], kubeconfig: &str) -> Result<Rendered> {
    let mut files = Some(BTreeMap::new());
    let script = script(plan, about, kubeconfig, &mut files)?;
    Ok(Rendered { script, files: files.unwrap_or_default() })
}

/// The files that documents are written to; none: they stand in the script.
type Files = Option<BTreeMap<String, String>>;

fn script(plan: &Plan, about: &[String], kubeconfig: &str, files: &mut Files) -> Result<String> {
    let mut script = HEAD.to_owned();
    for line in about {
        let _ = writeln!(script, "# {line}");
    }
    if files.is_some() {
        script.push_str("# The files lie beside it.\ncd \"$(dirname \"$0\")\"\n");
    }
    script.push_str(kubeconfig);
    if plan.needs_keys() {
        script.push_str(KEYS);
    }
    for step in plan.steps() {
        script.push('\n');
        script.push_str(&part(step, files)?);
    }
    Ok(script)
}

fn part(step: &Step, files: &mut Files) -> Result<String> {
    let mut text = format!("# {}\n", step.title);
    match (&step.intent, step.intent.decide(&[])) {
        (Intent::Lock(_), _) => {
            return Ok(
                "# okemon would take its lock here: see that nobody else is at work\n".to_owned()
            );
        }
        (Intent::Ready(ready), _) => {
            for cmd in ready.by_hand() {
                let _ = writeln!(text, "{}", cmd.line());
            }
        }
        (intent, Decision::Do { effects, details, .. }) => {
            for line in details {
                let _ = writeln!(text, "# {line}");
            }
            if let Intent::Objects(objects) = intent
                && objects.docs.iter().any(|doc| doc.secrets.contains(&MADE_UP))
            {
                text.push_str("password=$(openssl rand -hex 16)\n");
            }
            text.push_str(&unless_there(intent));
            for effect in effects {
                text.push_str(&act(&effect, step, files)?);
            }
        }
        (Intent::Cluster(cluster), _) => text.push_str(&look(cluster)),
        (intent, _) => {
            if let Some(call) = intent.ask(&[]) {
                let _ = writeln!(text, "{call} >/dev/null");
            }
        }
    }
    Ok(text)
}

/// Ends the script where the cluster does not answer, or is not the one that is pinned.
fn look(cluster: &Cluster) -> String {
    let mut look = Line::of(&cluster.look);
    let Some(uid) = &cluster.uid else { return format!("{look} >/dev/null\n") };
    look.put("-o", 0, |_| quote("jsonpath={.metadata.uid}"));
    let error = format!("the context {} leads to another cluster than is pinned", cluster.context);
    let (uid, error, exit) = (quote(uid), quote(&error), Exit::Refused as u8);
    format!("uid=$({look})\ntest \"$uid\" = {uid} || {{\n\techo {error} >&2\n\texit {exit}\n}}\n")
}

/// What comes before an act that would fail when its work is done already.
fn unless_there(intent: &Intent) -> String {
    match intent {
        Intent::Chart(chart) => {
            let directory = chart.archive.parent().unwrap_or(&chart.archive).display().to_string();
            let archive = quote(&chart.archive.display().to_string());
            format!("mkdir -p {}\ntest -e {archive} || ", quote(&directory))
        }
        Intent::Bucket(bucket) => format!("{} >/dev/null 2>&1 || ", asked(bucket.ask(&[]))),
        Intent::Objects(objects) if objects.care == Care::MakeOnce => {
            let name = objects.docs.first().and_then(|doc| doc.data["name"].as_str());
            let get = objects.kubectl.cmd(["get", "secret", name.unwrap_or_default()]);
            format!("{} >/dev/null 2>&1 || ", get.line())
        }
        _ => String::new(),
    }
}

fn asked(call: Option<Call>) -> String {
    match call {
        Some(Call::S3(request)) => s3(&request),
        Some(call) => call.to_string(),
        None => "false".to_owned(),
    }
}

fn act(effect: &Effect, step: &Step, files: &mut Files) -> Result<String> {
    Ok(match effect {
        Effect::Cmd(cmd) => {
            let Stdin::Docs(docs) = &cmd.stdin else { return Ok(cmd.line() + "\n") };
            let line = line(cmd, &step.intent);
            match files {
                Some(files) if !has_secrets(docs) => beside(line, docs, step, files)?,
                _ => within(&line, docs)?,
            }
        }
        Effect::Until(_) => format!("{effect} >/dev/null 2>&1\n"),
        Effect::S3(request) => s3(request) + "\n",
    })
}

fn has_secrets(docs: &[Doc]) -> bool {
    docs.iter().any(|doc| !doc.secrets.is_empty())
}

fn s3(request: &S3Request) -> String {
    let method = match request.act {
        Act::Find => "GET",
        Act::Create => "PUT",
    };
    format!("s3 {} {method} {}", quote(&request.region), quote(&request.url()))
}

/// A command with its documents, which hold the shell's variables in the place of secrets.
fn within(line: &Line<'_>, docs: &[Doc]) -> Result<String> {
    let expanded = has_secrets(docs);
    let end = if expanded { "EOF" } else { "'EOF'" };
    let mut text = format!("{line} <<{end}\n");
    for doc in docs {
        if docs.len() > 1 {
            text.push_str("---\n");
        }
        text.push_str(document(doc, expanded)?.trim_end());
        text.push('\n');
    }
    text.push_str("EOF\n");
    Ok(text)
}

/// A command that reads its documents from files.
fn beside(
    mut line: Line<'_>,
    docs: &[Doc],
    step: &Step,
    files: &mut BTreeMap<String, String>,
) -> Result<String> {
    let texts = docs.iter().map(|doc| Ok(doc.preview()?.trim_end().to_owned() + "\n"));
    let text = texts.collect::<Result<Vec<_>>>()?.join("---\n");
    let name = step.id.name();
    let mut file = |path: String, text| {
        let word = quote(&path);
        files.insert(path, text);
        word
    };
    if let Intent::Release(release) = &step.intent {
        line.put("--values", 0, |_| file(format!("values/{name}.yaml"), text));
        let own = &release.own_values.text;
        line.put("--values", 1, |_| file(format!("values/{name}-own.yaml"), own.clone()));
    } else {
        line.put("-f", 0, |_| file(format!("manifests/{name}.yaml"), text));
    }
    Ok(format!("{line}\n"))
}

/// A document as it stands in the script; `expanded` by the shell, when it needs a secret.
fn document(doc: &Doc, expanded: bool) -> Result<String> {
    let text = doc.with_notes(|name| format!("@@{}@@", name.as_str()))?;
    if !expanded {
        return Ok(text);
    }
    let text = text.replace('\\', "\\\\").replace('$', "\\$").replace('`', "\\`");
    Ok([
        (SecretName::S3AccessKey, "${access_key}"),
        (SecretName::S3SecretKey, "${secret_key}"),
        (MADE_UP, "${password}"),
    ]
    .iter()
    .fold(text, |text, (name, variable)| text.replace(&format!("@@{}@@", name.as_str()), variable)))
}

/// A command as it stands in the script, where some of its arguments are others.
struct Line<'a> {
    cmd: &'a Cmd,
    /// The arguments as the shell reads them.
    words: Vec<String>,
}

impl<'a> Line<'a> {
    fn of(cmd: &'a Cmd) -> Self {
        Self { cmd, words: cmd.args.iter().map(|arg| quote(arg)).collect() }
    }

    /// Puts a word of the shell in the place of what is given to the flag where it stands for the
    /// `nth` time, if it does.
    fn put(&mut self, flag: &str, nth: usize, word: impl FnOnce(&str) -> String) {
        let mut values = self.cmd.args.iter().zip(1..).filter(|(arg, _)| *arg == flag);
        if let Some((_, place)) = values.nth(nth) {
            self.words[place] = word(&self.cmd.args[place]);
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.cmd.tool.name(), self.words.join(" "))
    }
}

/// The line of a command; the digest of a release's archive is worked out when it is run.
fn line<'a>(cmd: &'a Cmd, intent: &Intent) -> Line<'a> {
    let mut line = Line::of(cmd);
    if let Intent::Release(release) = intent {
        let archive = quote(&release.archive.display().to_string());
        line.put("--description", 0, |text| {
            let known = quote(text.strip_suffix(UNKNOWN_DIGEST).unwrap_or(text));
            format!("{known}\"$(sha256 {archive})\"")
        });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::{intent, plan};

    #[test]
    fn a_script_checks_the_cluster_that_is_pinned() {
        let Intent::Cluster(mut cluster) = intent("sin/cluster") else { panic!() };
        insta::assert_snapshot!(
            look(&cluster),
            @"kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json >/dev/null"
        );
        cluster.uid = Some("0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f".to_owned());
        insta::assert_snapshot!(look(&cluster), @r#"
        uid=$(kubectl --context oke-sin --namespace monitoring get namespace kube-system -o 'jsonpath={.metadata.uid}')
        test "$uid" = 0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f || {
        	echo 'the context oke-sin leads to another cluster than is pinned' >&2
        	exit 8
        }
        "#);
    }

    #[test]
    fn what_a_values_file_is_called_changes_nothing_but_its_own_place() {
        let mut plan = plan();
        plan.stages.retain(|stage| stage.title == "install");
        plan = plan.only(|step| step.id.name() == "thanos");
        let Intent::Release(release) = &mut plan.stages[0].lanes[0].steps[0].intent else {
            panic!()
        };
        release.release.values_file = Some("thanos".into());
        let rendered = render(&plan, &[], "").unwrap();
        let upgrade = rendered.script.lines().find(|line| line.starts_with("helm upgrade"));
        insta::assert_snapshot!(upgrade.unwrap(), @r#"helm upgrade --install thanos /charts/thanos-17.3.1.tgz --skip-crds --disable-openapi-validation --description 'okemon: thanos-17.3.1 sha256:'"$(sha256 /charts/thanos-17.3.1.tgz)" --values values/thanos.yaml --values values/thanos-own.yaml --kube-context oke-sin --namespace monitoring"#);
        let files: Vec<_> = rendered.files.keys().collect();
        assert_eq!(files, ["values/thanos-own.yaml", "values/thanos.yaml"]);
    }
}
