//! Files, tools and disks that are not what they should be: what okemon makes of them, in full.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::machine::{Ended, KEYS, Machine, SMALL, refusal, result};

// Files

#[test]
fn a_configuration_that_cannot_be_read_is_told_with_what_to_name_instead() {
    let machine = Machine::bare();
    let said = |config: &str| refusal(machine.run(&["plan", "--config", config]), 65);
    fs::create_dir(machine.path("directory")).unwrap();
    nix::unistd::mkfifo(&machine.path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let configs = ["missing.yaml", "directory", "/dev/zero", "/dev/null", "pipe"];
    assert_snapshot!(configs.map(said).concat(), @"
    error: reading the configuration missing.yaml: No such file or directory (os error 2)
    hint: `--config FILE` names the file to read; without it, okemon.yaml of this directory is read
    error: reading the configuration directory: Is a directory (os error 21)
    hint: `--config FILE` names the file to read; without it, okemon.yaml of this directory is read
    error: reading the configuration /dev/zero: it has more than 64 MiB
    hint: `--config FILE` names the file to read; without it, okemon.yaml of this directory is read
    error: /dev/null:1:1: the file is empty; begin with `version: 1`
    error: reading the configuration pipe: it has no end within 10s; does somebody write into it?
    hint: `--config FILE` names the file to read; without it, okemon.yaml of this directory is read
    ");
}

#[test]
fn a_configuration_of_somebody_else_is_told_as_that() {
    let machine = Machine::with(SMALL);
    fs::set_permissions(machine.path("okemon.yaml"), fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads everything, unless it is taken from it.
    let mut okemon = if nix::unistd::geteuid().is_root() {
        let mut setpriv = within(
            &machine,
            &["/usr/bin/setpriv", "--bounding-set=-dac_override,-dac_read_search"],
        );
        setpriv.arg(env!("CARGO_BIN_EXE_okemon"));
        setpriv
    } else {
        machine.okemon(&[])
    };
    assert_snapshot!(refusal(machine.ended(okemon.arg("plan")), 65), @"
    error: reading the configuration okemon.yaml: Permission denied (os error 13)
    hint: `--config FILE` names the file to read; without it, okemon.yaml of this directory is read
    ");
}

#[test]
fn a_configuration_may_come_through_a_pipe() {
    let machine = Machine::with(SMALL);
    let plan = result(machine.run(&["plan"]));
    let mut okemon = machine.okemon(&["plan", "--config", "/dev/stdin"]);
    okemon.stdin(fs::File::open(machine.path("okemon.yaml")).unwrap());
    assert_eq!(result(machine.ended(&mut okemon)), plan);
    let mut bash = within(&machine, &["/bin/bash", "-c"]);
    bash.arg(format!("{} plan --config <(cat okemon.yaml)", env!("CARGO_BIN_EXE_okemon")));
    assert_eq!(result(machine.ended(bash.env("PATH", "/usr/bin:/bin"))), plan);
    // A pipe is empty the second time.
    let mut bash = within(&machine, &["/bin/bash", "-c"]);
    bash.arg(format!("{} images --config <(cat okemon.yaml)", env!("CARGO_BIN_EXE_okemon")));
    let images = result(machine.run(&["images"]));
    assert_eq!(result(machine.ended(bash.env("PATH", "/usr/bin:/bin"))), images);
}

#[test]
fn every_other_file_that_is_none_is_told_in_the_same_words() {
    let machine = Machine::with(&format!("{SMALL}values: {{thanos: own.yaml}}\n"));
    let mut said = String::new();
    for bytes in [None, Some(&b"a: \xff"[..])] {
        match bytes {
            Some(bytes) => fs::write(machine.path("own.yaml"), bytes).unwrap(),
            None => std::os::unix::fs::symlink("/dev/zero", machine.path("own.yaml")).unwrap(),
        }
        said += &refusal(machine.run(&["plan"]), 65);
        let mut keys = machine.okemon(&["secret"]);
        keys.env("OKEMON_S3_ACCESS_KEY_FILE", "own.yaml");
        fs::write(machine.path("okemon.yaml"), SMALL).unwrap();
        machine.tool("kubectl", "#!/bin/sh\n");
        said += &refusal(machine.ended(&mut keys), 65);
        said += &refusal(machine.run(&["install", "--plan", "own.yaml"]), 65);
        fs::write(machine.path("okemon.yaml"), format!("{SMALL}values: {{thanos: own.yaml}}\n"))
            .unwrap();
        fs::remove_file(machine.path("own.yaml")).unwrap();
    }
    assert_snapshot!(said, @"
    error: reading the values file own.yaml: it has more than 64 MiB
    hint: `helm show values CHART` shows what may stand in it
    error: reading own.yaml, which OKEMON_S3_ACCESS_KEY_FILE names: it has more than 64 MiB
    hint: `export OKEMON_S3_ACCESS_KEY_FILE=FILE` names a file with the key and nothing else
    error: reading the plan own.yaml: it has more than 64 MiB
    hint: `okemon plan --live -o json > FILE` makes one
    error: reading the values file own.yaml: invalid utf-8 sequence of 1 bytes from index 3
    hint: `helm show values CHART` shows what may stand in it
    error: reading own.yaml, which OKEMON_S3_ACCESS_KEY_FILE names: invalid utf-8 sequence of 1 bytes from index 3
    hint: `export OKEMON_S3_ACCESS_KEY_FILE=FILE` names a file with the key and nothing else
    error: reading the plan own.yaml: expected value at line 1 column 1
    hint: `okemon plan --live -o json > FILE` makes one
    ");
}

// Tools

/// What is said of a run but its head and its last line, which tells how long it took.
fn errors(ended: Ended, code: i32) -> String {
    let said = refusal(ended, code);
    let told = |line: &&str| {
        !["okemon ", "    sin: ", "Failed: ", "sin/"].iter().any(|start| line.starts_with(start))
    };
    said.lines().filter(told).map(|line| format!("{line}\n")).collect()
}

/// `okemon secret` with this kubectl, off a terminal and with keys; what it says.
fn with_kubectl(machine: &Machine, code: i32) -> String {
    errors(machine.ended(machine.okemon(&["secret"]).envs(KEYS)), code)
}

#[test]
fn a_file_that_is_no_program_of_this_machine_is_told_as_that() {
    let machine = Machine::with(SMALL);
    let mut foreign = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0".to_vec();
    foreign.resize(200, 0);
    let table: [(&str, &[u8]); 5] = [
        ("an empty file", b""),
        ("another machine's", &foreign),
        ("Windows'", b"MZ\x90\0\x03\0\0\0"),
        ("a script whose interpreter is missing", b"#!/nowhere/python3\nprint()\n"),
        ("a wrapper of a program that is missing", b"#!/bin/sh\nexec /nowhere/kubectl \"$@\"\n"),
    ];
    let said = |(what, bytes): (&str, &[u8])| {
        machine.tool("kubectl", bytes);
        format!("{what}\n{}", with_kubectl(&machine, 69))
    };
    assert_snapshot!(table.map(said).concat(), @"
    an empty file
    error: cannot find `kubectl` on PATH: DIR/bin/kubectl is empty
    hint: brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    another machine's
    run  failed: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: DIR/bin/kubectl: 1: �ELF�����: not found
    error: run: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: DIR/bin/kubectl: 1: �ELF�����: not found
    hint: brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    Windows'
    run  failed: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: DIR/bin/kubectl: 1: MZ��: not found
    error: run: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: DIR/bin/kubectl: 1: MZ��: not found
    hint: brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    a script whose interpreter is missing
    run  failed: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: No such file or directory (os error 2)
    error: run: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: No such file or directory (os error 2)
    hint: brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    a wrapper of a program that is missing
    run  failed: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: DIR/bin/kubectl: 2: exec: /nowhere/kubectl: not found
    error: run: cannot use `kubectl`: DIR/bin/kubectl does not run on this machine: DIR/bin/kubectl: 2: exec: /nowhere/kubectl: not found
    hint: brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    ");
    // And where it is asked before anything else is: for the keys.
    for (what, bytes) in table {
        machine.tool("kubectl", bytes);
        let ended = machine.run(&["secret"]);
        assert_eq!(ended.code, Some(69), "{what}: {}", ended.stderr);
    }
}

/// A kubectl of which `kubectl version` ends this way, and everything else without an answer.
fn script(version: &Value) -> Value {
    let mut answer = json!({"has": ["version"]});
    answer.as_object_mut().unwrap().extend(version.as_object().unwrap().clone());
    json!([answer, {"stderr": "error: no\n", "status": 1}])
}

fn version(number: &str) -> String {
    json!({"clientVersion": {"gitVersion": number}, "kustomizeVersion": "v5.8.1"}).to_string()
}

#[test]
fn a_tool_that_is_too_old_is_refused_before_anything_is_changed() {
    let old = json!([
        {"has": ["helm version"], "stdout": "v3.9.4"},
        {"has": ["kubectl version"], "stdout": version("v1.21.14")},
        {"stderr": "error: unknown flag: --new\n", "status": 1},
    ]);
    let machine = Machine::with(SMALL).tools(&["helm", "kubectl"], &old);
    let mut install = machine.okemon(&["install"]);
    assert_snapshot!(errors(machine.ended(install.envs(KEYS)), 69), @"
    run  failed: cannot use `helm`: DIR/bin/helm is version 3.9.4; okemon needs 3.11 or a newer one
    error: run: cannot use `helm`: DIR/bin/helm is version 3.9.4; okemon needs 3.11 or a newer one
        cannot use `kubectl`: DIR/bin/kubectl is version 1.21.14; okemon needs 1.28 or a newer one
    hint: brew install helm, or see https://helm.sh/docs/intro/install
    brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    ");
    let mut plan = machine.okemon(&["plan", "--live"]);
    assert_snapshot!(refusal(machine.ended(plan.envs(KEYS)), 69), @"
    error: cannot use `helm`: DIR/bin/helm is version 3.9.4; okemon needs 3.11 or a newer one
    cannot use `kubectl`: DIR/bin/kubectl is version 1.21.14; okemon needs 1.28 or a newer one
    hint: brew install helm, or see https://helm.sh/docs/intro/install
    brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    ");
    let log = fs::read_to_string(machine.path("log")).unwrap();
    let changes = ["apply", "create", "upgrade", "replace", "patch"];
    assert!(!changes.iter().any(|verb| log.contains(&format!(" {verb} "))), "{log}");
}

#[test]
fn a_version_that_cannot_be_understood_is_told_and_no_reason_to_end() {
    let answers = [
        json!({"stdout": ""}),
        json!({"stdout": "<html>sign in</html>"}),
        json!({"stdout": version("v99")}),
        json!({"stdout": "", "bytes": [255, 254, 10]}),
        json!({"stderr": "error: unknown command version\n", "status": 1}),
        json!({"acts": ["die"]}),
    ];
    let said = answers.map(|answer| {
        let machine = Machine::with(SMALL).tools(&["kubectl"], &script(&answer));
        with_kubectl(&machine, 1)
    });
    assert_snapshot!(said.concat(), @r#"
    run  `kubectl version --client -o json` tells no version that okemon understands: it printed nothing; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    hint: okemon secret  (run again: it goes on from here)
    run  `kubectl version --client -o json` tells no version that okemon understands: it printed "<html>sign in</html>"; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    hint: okemon secret  (run again: it goes on from here)
    run  `kubectl version --client -o json` tells no version that okemon understands: it printed "{\"clientVersion\":{\"gitVersion\":\"v99\"},\"kustomizeVersion\":\"v5"; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    hint: okemon secret  (run again: it goes on from here)
    run  `kubectl version --client -o json` tells no version that okemon understands: it printed "��"; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    hint: okemon secret  (run again: it goes on from here)
    run  `kubectl version --client -o json` tells no version that okemon understands: error: unknown command version; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    hint: okemon secret  (run again: it goes on from here)
    run  `kubectl version --client -o json` tells no version that okemon understands: it was ended by a signal; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    hint: okemon secret  (run again: it goes on from here)
    "#);
    // The newest, and what a wrapper says before it.
    let banner = format!("ACME's kubectl v0.1.0\n{}", version("v1.31.2-eks-9"));
    let said = [version("v99.0.0"), banner].map(|stdout| {
        let machine = Machine::with(SMALL).tools(&["kubectl"], &script(&json!({"stdout": stdout})));
        with_kubectl(&machine, 1)
    });
    assert_eq!(said[0], said[1]);
    assert_snapshot!(said[0], @"
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: no
    hint: okemon secret  (run again: it goes on from here)
    ");
}

#[test]
fn of_a_flood_or_of_bytes_that_are_no_text_the_end_is_shown() {
    let flood =
        json!([{"has": ["version"]}, {"acts": ["flood"], "stderr": "\nerror: no\n", "status": 1}]);
    let machine = Machine::with(SMALL).tools(&["kubectl"], &flood);
    let said = with_kubectl(&machine, 1);
    assert!(said.len() < 5000, "{}", said.len());
    assert_snapshot!(said.replace(&"x".repeat(1997), "(1997 x)"), @"
    run  `kubectl version --client -o json` tells no version that okemon understands: it printed nothing; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: ...(1997 x)xxx
        error: no
    hint: okemon secret  (run again: it goes on from here)
    ");
    machine.tool("kubectl", "#!/bin/sh\nprintf 'error: \\377\\376 no\\n' >&2\nexit 1\n");
    assert_snapshot!(with_kubectl(&machine, 1), @"
    run  `kubectl version --client -o json` tells no version that okemon understands: error: �� no; it goes on as if it were a new one
    error: sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: error: �� no
    hint: okemon secret  (run again: it goes on from here)
    ");
}

// Disks

/// A command that is run on this machine with its whole environment, and words of its own.
fn within(machine: &Machine, words: &[&str]) -> Command {
    let okemon = machine.okemon(&[]);
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(okemon.get_current_dir().unwrap()).env_clear();
    command.envs(okemon.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::null());
    command
}

/// okemon where the directory `full` is a disk of its own, mounted with these options; none, and so
/// nothing is tried, where the machine lets nobody mount.
fn on_a_disk(machine: &Machine, options: &str, args: &[&str]) -> Option<Command> {
    let full = machine.path("full");
    fs::create_dir_all(&full).unwrap();
    let unshare = ["/usr/bin/unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c"];
    let mount = format!("PATH=/usr/bin:/bin mount -t tmpfs -o {options} none '{}'", full.display());
    let may = Command::new(unshare[0]).args(&unshare[1..]).arg(&mount).status();
    if !may.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut okemon = within(machine, &unshare);
    okemon
        .arg(format!("{mount} && exec \"$@\""))
        .args(["sh", env!("CARGO_BIN_EXE_okemon")])
        .args(args);
    Some(okemon)
}

#[test]
fn a_full_disk_is_told_with_the_place_that_was_written_to() {
    let machine = Machine::with(SMALL).tools(&["helm", "kubectl"], &json!([{}]));
    // Room for the disk's own directory alone.
    let Some(mut temporary) = on_a_disk(&machine, "nr_inodes=1", &["install"]) else { return };
    temporary.envs(KEYS).env("TMPDIR", machine.path("full"));
    assert_snapshot!(refusal(machine.ended(&mut temporary), 1), @"
    error: preparing to run programs: making a directory in DIR/full: No space left on device (os error 28)
    hint: `df -h` shows which disk is full; make room there, or name a directory on another one (TMPDIR, XDG_CACHE_HOME)
    ");
    let mut cache = on_a_disk(&machine, "nr_inodes=1", &["install"]).unwrap();
    cache.envs(KEYS).env("XDG_CACHE_HOME", machine.path("full"));
    assert_snapshot!(refusal(machine.ended(&mut cache), 1), @"
    error: making DIR/full/okemon/charts: No space left on device (os error 28)
    hint: `df -h` shows which disk is full; make room there, or name a directory on another one (TMPDIR, XDG_CACHE_HOME)
    ");
    assert!(!machine.path("log").exists(), "a tool was run");
    let mut render = on_a_disk(&machine, "size=16k", &["render", "full/out"]).unwrap();
    assert_snapshot!(refusal(machine.ended(&mut render), 1), @"
    error: writing into full/out/manifests/dashboards.yaml: No space left on device (os error 28)
    hint: `df -h` shows which disk is full; make room there, or name a directory on another one (TMPDIR, XDG_CACHE_HOME)
    ");
}

#[test]
fn a_result_that_did_not_arrive_is_a_failure_and_a_reader_that_left_is_none() {
    let machine = Machine::with(SMALL);
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let commands: [&[&str]; 6] = [
        &["plan"],
        &["plan", "-o", "sh"],
        &["images"],
        &["completions", "bash"],
        &["man"],
        &["render", "out"],
    ];
    let said = commands.map(|args| {
        let mut okemon = machine.okemon(args);
        let child = okemon.stdout(full()).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    });
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
    assert_snapshot!(said[0], @"
    error: printing the result: No space left on device (os error 28)
    hint: `df -h` shows which disk is full; make room there, or name a directory on another one (TMPDIR, XDG_CACHE_HOME)
    ");
    for args in [["--help"], ["--version"]] {
        let help = machine.okemon(&args).stdout(full()).status().unwrap();
        assert_eq!(help.code(), Some(1), "{args:?}");
    }
    let (gone, left) = std::io::pipe().unwrap();
    drop(gone);
    let status = machine.okemon(&["plan"]).stdout(left).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_run_that_cannot_say_anything_ends_as_it_would() {
    let machine =
        Machine::with(SMALL).tools(&["kubectl"], &script(&json!({"stdout": version("v1.37.1")})));
    let full = || fs::OpenOptions::new().write(true).open(Path::new("/dev/full")).unwrap();
    for args in [&["secret"][..], &["secret", "-o", "ndjson"]] {
        let mut okemon = machine.okemon(args);
        let status = okemon.envs(KEYS).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(1), "{args:?}");
    }
    let log = fs::read_to_string(machine.path("log")).unwrap();
    assert_eq!(log.matches("get namespace kube-system").count(), 2, "{log}");
}
