//! How a run behaves towards whoever started it, interrupts it, kills it or runs beside it.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use rexpect::session::{PtySession, spawn_command};
use serde_json::Value;

use crate::sandbox::{Ended, Sandbox, eventually, repository};
use crate::schema;

const INSTALL: [&str; 3] = ["install", "--region", "sin"];

/// A sandbox in which every tool writes down how it was called before it does its work.
struct Watched(Sandbox);

/// How a tool is held when it is called to do something.
#[derive(Clone, Copy)]
enum Held {
    /// Until it is let go or ended.
    Politely,
    /// And it does not hear TERM.
    Deaf,
}

impl Watched {
    fn up() -> Self {
        let watched = Self(Sandbox::up());
        for folder in ["watched", "user", "tmp"] {
            fs::create_dir(watched.0.path(folder)).unwrap();
        }
        let fifo = watched.0.path("watched/let-go");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        watched.watch("");
        watched
    }

    /// Puts a script before each tool. `held` is shell for what it does before it is the tool.
    fn watch(&self, held: &str) {
        let folder = self.0.path("watched");
        let log = folder.display();
        for tool in ["helm", "kubectl"] {
            let real = self.0.tool(tool);
            let script = format!(
                "#!/bin/sh\nenv > {log}/$$.env\necho \"$$ {tool} $*\" >> {log}/calls\n{held}exec {} \"$@\"\n",
                real.display()
            );
            fs::write(folder.join(tool), script).unwrap();
            fs::set_permissions(folder.join(tool), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// From now on, a call that begins like this is held.
    fn hold(&self, call: &str, how: Held) {
        let deaf = match how {
            Held::Politely => "",
            Held::Deaf => "trap '' TERM; ",
        };
        let folder = self.0.path("watched");
        let log = folder.display();
        self.watch(&format!(
            "case \"$*\" in \"{call}\"*) {deaf}echo held >> {log}/calls; read _ < {log}/let-go;; esac\n"
        ));
    }

    /// Waits until a tool is held.
    fn until_held(&self) {
        eventually("a tool to be held", || self.calls().contains(&"held".to_owned()));
    }

    /// Lets the one tool that is held do its work.
    fn let_go(&self) {
        fs::write(self.0.path("watched/let-go"), "\n").unwrap();
    }

    /// Each call's process and line, in order.
    fn calls(&self) -> Vec<String> {
        let log = fs::read_to_string(self.0.path("watched/calls")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    fn forget_calls(&self) {
        fs::write(self.0.path("watched/calls"), "").unwrap();
    }

    fn okemon(&self, args: &[&str]) -> Command {
        let mut okemon = self.0.okemon(args);
        let path = format!(
            "{}:{}:/usr/bin:/bin",
            self.0.path("watched").display(),
            self.0.tool("").display()
        );
        okemon.env("PATH", path).env("HOME", self.0.path("user")).env("TMPDIR", self.0.path("tmp"));
        okemon
    }

    fn start(&self, args: &[&str]) -> Run {
        Run(self.okemon(args).spawn().unwrap())
    }

    /// The processes that a run of this sandbox has started, okemon itself included: they have its
    /// `TMPDIR`.
    fn processes(&self) -> Vec<String> {
        let mark = format!("TMPDIR={}", self.0.path("tmp").display());
        let alive = |process: &PathBuf| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment.windows(mark.len()).any(|window| window == mark.as_bytes())
        };
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let line = |process: PathBuf| {
            fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " ")
        };
        processes.filter(alive).map(line).collect()
    }

    /// Waits until no process of a run and nothing of its private directory is left.
    fn until_nothing_is_left(&self) {
        eventually("every process to end", || self.processes().is_empty());
        assert_eq!(files(&self.0.path("tmp")), Vec::<PathBuf>::new());
    }

    /// Who holds the lock; empty: nobody.
    fn holder(&self) -> String {
        let holder = "jsonpath={.spec.holderIdentity}";
        self.0.kubectl(&["get", "lease", "okemon", "--namespace", "monitoring", "-o", holder])
    }

    /// Makes the lock somebody else's, who has said so `ago`.
    fn occupy(&self, ago: SignedDuration) {
        let renewed = Timestamp::now() - ago;
        let manifest = format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: monitoring}}\n---\n\
             apiVersion: coordination.k8s.io/v1\nkind: Lease\n\
             metadata: {{name: okemon, namespace: monitoring}}\n\
             spec: {{holderIdentity: \"opc@elsewhere, process 1\", leaseDurationSeconds: 60, \
             acquireTime: \"2026-11-01T00:00:00.000000Z\", renewTime: \"{renewed:.6}\"}}\n"
        );
        self.0.apply(&manifest);
    }

    fn free(&self) {
        let nobody = r#"{"spec": {"holderIdentity": ""}}"#;
        let patch = ["patch", "lease", "okemon", "--namespace", "monitoring", "--type=merge"];
        self.0.kubectl(&[&patch[..], &["-p", nobody]].concat());
    }
}

/// An okemon at work.
struct Run(Child);

impl Run {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    /// Reads stderr until there is a line with these words.
    fn until_said(&mut self, words: &str) {
        let mut said = Vec::new();
        let stderr = self.0.stderr.as_mut().unwrap();
        let mut byte = [0];
        while !String::from_utf8_lossy(&said).contains(words) {
            let read = stderr.read(&mut byte).unwrap();
            assert_eq!(read, 1, "{words:?} was never said: {}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
    }

    /// Waits for its end; what it said before somebody waited for a word is not in it.
    fn end(self) -> Ended {
        crate::sandbox::ended(&self.0.wait_with_output().unwrap())
    }
}

/// Every file below a directory, and every directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found
}

/// Real helm is at work when Ctrl-C is hit: whatever it leaves, nothing runs on, and the next run
/// finishes the job.
#[test]
fn ctrl_c_ends_everything_gives_the_lock_back_and_the_next_run_goes_on() {
    let watched = Watched::up();
    let mut run = watched.start(&[&INSTALL[..], &["--verbose"]].concat());
    run.until_said("$ helm upgrade --install");
    run.signal(Signal::SIGINT);
    let ended = run.end();
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("Interrupted"), "{}", ended.stderr);
    assert!(ended.stderr.contains("okemon install --region sin --verbose"), "{}", ended.stderr);
    assert_eq!(watched.holder(), "");
    watched.until_nothing_is_left();

    let again = watched.start(&INSTALL).end();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let releases = watched.0.releases();
    assert!(releases.iter().all(|release| release.ends_with(" deployed")), "{releases:?}");
    assert_eq!(releases.len(), 3, "{releases:?}");
}

#[test]
fn a_run_that_is_ended_in_any_way_leaves_no_process_and_no_file() {
    let watched = Watched::up();

    watched.hold("upgrade --install thanos", Held::Politely);
    let run = watched.start(&[&INSTALL[..], &["--jobs", "1"]].concat());
    watched.until_held();
    run.signal(Signal::SIGTERM);
    let ended = run.end();
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert_snapshot!(watched.0.said(&ended.stderr), @"
    okemon install --region sin --jobs 1
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/namespace   create the namespace
    + sin/bucket      create the bucket thanos in ap-singapore-1
    + sin/secret      store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds        apply the operator's custom resource definitions
    + sin/prometheus  install kube-prometheus 11.3.10
    + sin/thanos      install thanos 17.3.1
    + sin/admin       make Grafana's admin password
    + sin/dashboards  provision 3 dashboards
    + sin/grafana     install grafana 12.11.1
    Plan: 9 to change, 1 unchanged.
    sin/cluster  unchanged
    sin/namespace  created the namespace (T)
    sin/lock  took the lock (T)
    sin/bucket  created the bucket thanos in ap-singapore-1 (T)
    sin/crds  applied the operator's custom resource definitions (T)
    sin/prometheus  installed kube-prometheus 11.3.10 (T)
    sin/secret  stored the bucket's keys in the Secret thanos-objstore-config (T)
    Stopping: what runs gets time to end well; Ctrl-C again ends it at once
    sin/thanos  failed after T: `helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/thanos.yaml` was ended: the run was interrupted
    Interrupted: 5 changed, 1 unchanged, 1 failed, 4 skipped (T)
    done: sin/cluster, sin/namespace, sin/lock, sin/bucket, sin/secret, sin/crds, sin/prometheus
    skipped: sin/admin, sin/dashboards, sin/grafana, sin/ready (interrupted)
    error: sin/thanos: `helm upgrade --install thanos CHARTS/thanos-17.3.1.tgz --skip-crds --description 'okemon: thanos-17.3.1 sha256:DIGEST' --values - --kube-context oke-sin --namespace monitoring < values/thanos.yaml` was ended: the run was interrupted
    hint: okemon install --region sin --jobs 1  (run again: it goes on from here)
    ");
    assert_eq!(watched.holder(), "");
    watched.until_nothing_is_left();

    // Twice, and at once: the grace of a tool that does not hear is ten seconds.
    watched.forget_calls();
    watched.hold("upgrade --install thanos", Held::Deaf);
    let mut run = watched.start(&INSTALL);
    watched.until_held();
    run.signal(Signal::SIGINT);
    run.until_said("nterrupt");
    assert!(watched.processes().iter().any(|line| line.contains("upgrade --install thanos")));
    run.signal(Signal::SIGINT);
    assert_eq!(run.end().code, Some(130));
    watched.until_nothing_is_left();
    watched.free();

    // Killed: nobody is left but the watchdog.
    watched.forget_calls();
    watched.hold("upgrade --install thanos", Held::Politely);
    let run = watched.start(&INSTALL);
    watched.until_held();
    run.signal(Signal::SIGKILL);
    assert_eq!(run.end().code, None);
    eventually("every process to end", || watched.processes().is_empty());
    eventually("the private directory to go", || files(&watched.0.path("tmp")).is_empty());
}

#[test]
fn one_okemon_at_a_time_changes_a_cluster() {
    let watched = Watched::up();

    // Somebody who is alive.
    watched.occupy(SignedDuration::ZERO);
    let mark = watched.0.mark();
    let refused = watched.start(&INSTALL).end();
    assert_eq!(refused.code, Some(7), "{}", refused.stderr);
    assert_snapshot!(watched.0.said(&refused.stderr), @"
    okemon install --region sin
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/bucket      create the bucket thanos in ap-singapore-1
    + sin/secret      store the bucket's keys in the Secret thanos-objstore-config
    + sin/crds        apply the operator's custom resource definitions
    + sin/prometheus  install kube-prometheus 11.3.10
    + sin/thanos      install thanos 17.3.1
    + sin/admin       make Grafana's admin password
    + sin/dashboards  provision 3 dashboards
    + sin/grafana     install grafana 12.11.1
    Plan: 8 to change, 2 unchanged.
    sin/cluster  unchanged
    sin/namespace  unchanged
    sin/lock  failed after T: taking the lock: another okemon is at work on this cluster: opc@elsewhere, process 1, since 2026-11-01T00:00:00.000000Z
    Failed: 0 changed, 2 unchanged, 1 failed, 9 skipped (T)
    skipped: sin/bucket, sin/crds, sin/admin, sin/dashboards (it needs sin/lock)
    skipped: sin/secret (it needs sin/bucket)
    skipped: sin/prometheus, sin/thanos (it needs sin/secret)
    skipped: sin/grafana (it needs sin/admin)
    skipped: sin/ready (it needs sin/prometheus)
    error: sin/lock: taking the lock: another okemon is at work on this cluster: opc@elsewhere, process 1, since 2026-11-01T00:00:00.000000Z
    hint: `--lock-timeout 10m` waits for it; the lock of one that died is free after a minute
    ");
    assert_eq!(watched.0.changes_since(&mark), Vec::<String>::new());
    assert_eq!(watched.holder(), "opc@elsewhere, process 1");

    // Somebody who gives it back while we wait.
    watched.occupy(SignedDuration::ZERO);
    watched.forget_calls();
    let mut run = watched.start(&[&INSTALL[..], &["--lock-timeout", "10m"]].concat());
    run.until_said("sin/lock  waiting for another okemon to end: opc@elsewhere, process 1");
    watched.free();
    let ended = run.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(watched.holder(), "");

    // Somebody who has said nothing for two minutes.
    watched.occupy(SignedDuration::from_mins(2));
    watched.0.configure("retention: {local: 48h}\n");
    let ended = watched.start(&INSTALL).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(watched.holder(), "");

    // Another okemon, while the first one is at work.
    watched.0.configure("retention: {local: 24h}\n");
    watched.hold("upgrade --install prometheus", Held::Politely);
    watched.forget_calls();
    let first = watched.start(&INSTALL);
    watched.until_held();
    let second = watched.0.run(&INSTALL);
    assert_eq!(second.code, Some(7), "{}", second.stderr);
    let holder = format!("process {}", first.0.id());
    assert!(second.stderr.contains(&holder), "{holder}: {}", second.stderr);
    watched.let_go();
    let first = first.end();
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(
        watched.0.releases(),
        ["grafana 1 deployed", "prometheus 3 deployed", "thanos 1 deployed"]
    );
}

#[test]
fn what_a_run_starts_and_streams_is_what_it_should_be() {
    let watched = Watched::up();
    let mut okemon = watched.okemon(&[&INSTALL[..], &["--jobs", "1", "-o", "ndjson"]].concat());
    okemon.env("HELM_NAMESPACE", "elsewhere").env("KUBECTL_EXTERNAL_DIFF", "false");
    let secrets: Vec<String> = okemon
        .get_envs()
        .filter(|(name, _)| name.to_string_lossy().starts_with("OKEMON_S3"))
        .map(|(_, value)| value.unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(secrets.len(), 2);
    let ended = crate::sandbox::ended(&okemon.output().unwrap());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);

    let records = records(&ended.stdout);
    let done = |record: &&Value| record["event"] == "step-done";
    let order: Vec<&str> =
        records.iter().filter(done).map(|record| record["step"].as_str().unwrap()).collect();
    assert_snapshot!(order.join("\n"), @"
    sin/cluster
    sin/namespace
    sin/lock
    sin/bucket
    sin/secret
    sin/crds
    sin/prometheus
    sin/thanos
    sin/admin
    sin/dashboards
    sin/grafana
    sin/ready
    ");

    let calls = watched.calls();
    assert!(calls.len() > 20, "{calls:?}");
    for call in calls {
        assert!(!secrets.iter().any(|secret| call.contains(secret)), "{call}");
        let (process, line) = call.split_once(' ').unwrap();
        children_environment(&watched, process, line.starts_with("helm"));
    }
    assert!(!secrets.iter().any(|secret| ended.stdout.contains(secret)));
    assert_eq!(files(&watched.0.path("tmp")), Vec::<PathBuf>::new());
    for file in files(&watched.0.path("user")).iter().filter(|file| file.is_file()) {
        let bytes = fs::read(file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{}", file.display());
    }
}

/// The records of a stream, each of which is as the schema says.
fn records(stream: &str) -> Vec<Value> {
    let text = fs::read_to_string(repository().join("docs/events.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut records = Vec::new();
    for line in stream.lines() {
        let record: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(schema::fits(&record, &schema, &schema), "{line}");
        records.push(record);
    }
    assert!(!schema::fits(&serde_json::json!({"event": "version"}), &schema, &schema));
    let opening = records.remove(0);
    assert_eq!((&opening["event"], &opening["version"]), (&"version".into(), &1.into()));
    assert_eq!(records[0]["event"], "run-started");
    assert_eq!(records.last().unwrap()["event"], "run-ended");
    assert_eq!(records.last().unwrap()["outcome"], "done");
    for (index, record) in records.iter().enumerate() {
        assert_eq!(record["seq"], index + 1, "{record}");
        record["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
        let step = record["step"].as_str().unwrap_or_default();
        if step.starts_with("sin/") {
            assert_eq!(record["region"], "ap-singapore-1", "{record}");
        }
    }
    records
}

/// A child has nothing of okemon's, and helm has homes of the run's own.
fn children_environment(watched: &Watched, process: &str, helm: bool) {
    let text = fs::read_to_string(watched.0.path("watched").join(format!("{process}.env")));
    let text = text.unwrap();
    let names = text.lines().filter_map(|line| line.split_once('='));
    let private = format!("{}/okemon-", watched.0.path("tmp").display());
    let mut homes = Vec::new();
    for (name, value) in names {
        assert!(!name.starts_with("OKEMON_") && name != "KUBECTL_EXTERNAL_DIFF", "{text}");
        if name.starts_with("HELM_") && name != "HELM_REGISTRY_CONFIG" {
            assert!(value.starts_with(&private), "{name}={value}");
            homes.push(name);
        }
    }
    homes.sort_unstable();
    let wanted: &[&str] =
        if helm { &["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] } else { &[] };
    assert_eq!(homes, wanted, "{text}");
}

/// okemon on a terminal that echoes what is typed, without the keys.
fn terminal(watched: &Watched) -> PtySession {
    let okemon = watched.okemon(&INSTALL);
    let mut shell = Command::new("/bin/sh");
    // rexpect's terminals do not echo; people's do.
    shell.args(["-c", "stty echo cols 120; exec \"$0\" \"$@\""]).arg(okemon.get_program());
    shell.args(okemon.get_args()).current_dir(okemon.get_current_dir().unwrap()).env_clear();
    let secret = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("OKEMON_S3");
    for (name, value) in okemon.get_envs().filter(|(name, _)| !secret(name)) {
        shell.env(name, value.unwrap());
    }
    shell.env("TERM", "xterm");
    spawn_command(shell, Some(120_000)).unwrap()
}

/// Types the keys where they are asked for; what was on the screen up to the question.
fn type_keys(session: &mut PtySession, [access, secret]: [&str; 2]) -> String {
    let mut screen = String::new();
    for (prompt, key) in [
        ("Access key of the customer secret key (not shown): ", access),
        ("Its secret (not shown): ", secret),
    ] {
        screen += &session.exp_string(prompt).unwrap();
        session.send_line(key).unwrap();
    }
    screen += &session.exp_string(QUESTION).unwrap();
    screen
}

const QUESTION: &str = "Make these changes? [y]es, [N]o, [e]xplain: ";

fn answer(session: &mut PtySession, key: &str) {
    session.send(key).unwrap();
    session.flush().unwrap();
}

/// The rest of the screen, and how okemon ended.
fn rest(session: &mut PtySession) -> (String, i32) {
    let rest = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (rest, code),
        other => panic!("{other:?}: {rest}"),
    }
}

#[test]
fn on_a_terminal_missing_keys_and_consent_are_asked_for() {
    let watched = Watched::up();
    let keys: Vec<String> = watched
        .okemon(&INSTALL)
        .get_envs()
        .filter(|(name, _)| name.to_string_lossy().starts_with("OKEMON_S3"))
        .map(|(_, value)| value.unwrap().to_string_lossy().into_owned())
        .collect();
    let keys = [keys[0].as_str(), keys[1].as_str()];

    let mark = watched.0.mark();
    let mut session = terminal(&watched);
    let before = type_keys(&mut session, keys);
    let plain = console::strip_ansi_codes(&before);
    assert!(plain.contains("sin: ap-singapore-1, context oke-sin"), "{plain}");
    assert!(plain.contains("+ sin/prometheus"), "{plain}");
    answer(&mut session, "e");
    let explained = session.exp_string(QUESTION).unwrap();
    assert!(explained.contains("# sin/cluster: look at the cluster"), "{explained}");
    assert!(explained.contains("helm upgrade --install thanos"), "{explained}");
    answer(&mut session, "n");
    let (refused, code) = rest(&mut session);
    assert_eq!(code, 8, "{refused}");
    assert_snapshot!(last_line(&watched, &refused), @"! Nothing was changed: the answer was no");
    assert_eq!(watched.0.changes_since(&mark), Vec::<String>::new());
    assert_eq!(fs::read_dir(watched.0.path("s3")).unwrap().count(), 0, "no bucket either");

    let mut session = terminal(&watched);
    let before = before.clone() + &explained + &refused + &type_keys(&mut session, keys);
    answer(&mut session, "y");
    let (installed, code) = rest(&mut session);
    assert_eq!(code, 0, "{installed}");
    assert_snapshot!(last_line(&watched, &installed), @"Done: 9 changed, 1 unchanged (T)");
    let all = before + &installed;
    assert!(!keys.iter().any(|key| all.contains(key)), "{all}");
    let (hidden, shown) = (all.rfind("\u{1b}[?25l"), all.rfind("\u{1b}[?25h"));
    assert!(hidden <= shown, "the cursor stays hidden: {all:?}");
    watched.until_nothing_is_left();
}

/// The last line on the screen, without marks, colours, times and what moves the cursor.
fn last_line(watched: &Watched, screen: &str) -> String {
    let plain = console::strip_ansi_codes(screen).replace('\r', "\n");
    let last = plain.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    // rexpect takes each byte for a letter, so a mark is several.
    let ascii: String = last.chars().filter(char::is_ascii).collect();
    watched.0.said(ascii.trim())
}
