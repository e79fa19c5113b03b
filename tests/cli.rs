//! What is typed and what comes back, where no cluster is needed: results, help, refusals.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts okemon itself")]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

#[path = "cli/bad.rs"]
mod bad;
#[path = "cli/help.rs"]
mod help;
#[path = "cli/live.rs"]
mod live;
#[path = "cli/machine.rs"]
mod machine;
#[path = "e2e/schema.rs"]
mod schema;
#[path = "cli/strings.rs"]
mod strings;

use machine::{KEYS, Machine, SMALL, data, refusal, result};

// Plans

/// Without tools, kubeconfig, credentials and home; whoever spoke to the network would meet us.
#[test]
fn a_plan_needs_nothing_and_shows_everything() {
    let machine = Machine::bare();
    let network = TcpListener::bind("127.0.0.1:0").unwrap();
    network.set_nonblocking(true).unwrap();
    let proxy = format!("http://{}", network.local_addr().unwrap());
    let mut okemon = machine.okemon(&["plan", "--config", &data("okemon.yaml")]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"] {
        okemon.env(name, &proxy);
    }
    let plan = result(machine.ended(&mut okemon));
    assert!(network.accept().is_err(), "somebody came");
    assert_eq!(fs::read_dir(machine.path("home")).unwrap().count(), 0);
    assert_snapshot!("plan", plan.replace(&data(""), "DATA/"));
}

#[test]
fn a_dry_run_is_the_plan() {
    let machine = Machine::with(SMALL);
    let plan = result(machine.run(&["plan"]));
    assert_eq!(result(machine.run(&["install", "--dry-run"])), plan);
    assert_eq!(
        result(machine.run(&["install", "--dry-run", "--skip-crds"])),
        result(machine.run(&["plan", "--skip-crds"]))
    );
}

#[test]
fn each_command_plans_its_part_and_what_that_stands_on() {
    let machine = Machine::with(SMALL);
    let steps = |command: &str| {
        let plan = result(machine.run(&[command, "--dry-run"]));
        let step = |line: &str| {
            let (id, _) = line.strip_prefix("# ")?.split_once(": ")?;
            (id.starts_with("sin/") || id.starts_with("charts/")).then(|| id.to_owned())
        };
        format!("{command}: {}\n", plan.lines().filter_map(step).collect::<Vec<_>>().join(" "))
    };
    let commands = ["install", "bucket", "secret", "prometheus", "thanos", "grafana"];
    assert_snapshot!(commands.map(steps).concat(), @"
    install: sin/cluster charts/kube-prometheus charts/thanos charts/grafana sin/namespace sin/lock sin/bucket sin/secret sin/crds sin/prometheus sin/thanos sin/admin sin/dashboards sin/grafana sin/ready
    bucket: sin/bucket
    secret: sin/cluster sin/namespace sin/lock sin/bucket sin/secret
    prometheus: sin/cluster charts/kube-prometheus sin/namespace sin/lock sin/bucket sin/secret sin/crds sin/prometheus sin/ready
    thanos: sin/cluster charts/kube-prometheus charts/thanos sin/namespace sin/lock sin/bucket sin/secret sin/crds sin/thanos sin/ready
    grafana: sin/cluster charts/grafana sin/namespace sin/lock sin/admin sin/dashboards sin/grafana sin/ready
    ");
}

#[test]
fn a_plan_of_flags_alone_needs_no_file() {
    let machine = Machine::bare();
    let flags = ["--region=sin", "--context=oke-sin", "--bucket=thanos"];
    let storage = ["--object-storage-namespace=axabcdef1234"];
    let by_flags = result(machine.run(&[&["plan"], &flags[..], &storage].concat()));
    assert_eq!(by_flags, result(Machine::with(SMALL).run(&["plan"])));
}

#[test]
fn a_plan_for_programs_is_as_its_schema_says() {
    let machine = Machine::with(SMALL);
    let plan: Value = serde_json::from_str(&result(machine.run(&["plan", "-o", "json"]))).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(schema::fits(&plan, &schema, &schema), "{plan:#}");
    assert!(!schema::fits(&json!({"version": 1}), &schema, &schema));
    let steps = plan["steps"].as_array().unwrap();
    let text = result(machine.run(&["plan"]));
    for step in steps {
        let (id, title) = (step["id"].as_str().unwrap(), step["title"].as_str().unwrap());
        assert!(text.contains(&format!("# {id}: {title}\n")), "{id}");
        for act in step["does"].as_array().unwrap() {
            assert!(text.contains(act["line"].as_str().unwrap()), "{act:#}");
        }
    }
    assert_eq!(steps.len(), 15);
}

#[test]
fn a_plan_as_a_script_is_a_good_script_without_a_secret() {
    for (family, charts) in [("bitnami", "kube-prometheus"), ("community", "kube-prometheus-stack")]
    {
        let machine = Machine::with(&format!("{SMALL}charts: {family}\n"));
        let script = result(machine.ended(machine.okemon(&["plan", "-o", "sh"]).envs(KEYS)));
        assert!(!KEYS.iter().any(|(_, value)| script.contains(value)), "{script}");
        assert!(script.contains(charts), "{script}");
        assert!(!script.contains("DIGEST") && !script.contains("(secret"), "{script}");
        let path = machine.path("install.sh");
        fs::write(&path, &script).unwrap();
        let checked = Command::new("/bin/sh").arg("-n").arg(&path).status().unwrap();
        assert!(checked.success());
        // As for every script: where it is there.
        if let Ok(shellcheck) = Command::new("shellcheck").arg(&path).output() {
            let said = String::from_utf8_lossy(&shellcheck.stdout);
            assert!(shellcheck.status.success(), "{said}");
        }
    }
}

#[test]
fn a_form_is_a_plans_or_a_runs() {
    let machine = Machine::with(SMALL);
    assert_snapshot!(refusal(machine.run(&["plan", "-o", "ndjson"]), 64), @"
    error: showing the plan: a run has events, a plan none
    hint: `okemon plan -o json` is for programs
    ");
    assert_snapshot!(refusal(machine.run(&["install", "-o", "sh"]), 64), @"
    error: reporting a run: that form is a plan's
    hint: `okemon plan -o json` or `-o sh`; a run has `-o ndjson`
    ");
}

#[test]
fn no_secret_is_ever_in_a_plan() {
    let machine = Machine::with(SMALL);
    let plan = result(machine.ended(machine.okemon(&["plan"]).envs(KEYS)));
    assert_eq!(plan, result(machine.run(&["plan"])));
    assert!(plan.contains("(secret s3-secret-key)"), "{plan}");
    assert!(!KEYS.iter().any(|(_, value)| plan.contains(value)), "{plan}");
}

// Refusals

#[test]
fn wrong_usage_ends_with_64_and_says_what_is_right() {
    let machine = Machine::bare();
    let lines: &[&[&str]] = &[
        &[],
        &["instal"],
        &["install", "--regoin", "sin"],
        &["install", "--jobs", "0"],
        &["install", "--timeout", "soon"],
        &["install", "--lock-timeout", "9999999999999999999s"],
        &["install", "--timeout", "8days"],
        &["thanos", "--plan", "plan.json"],
        &["install", "-q", "-v"],
        &["completions", "tcsh"],
    ];
    let said = |line: &&[&str]| {
        let refused = refusal(machine.run(line), 64);
        // The usage of a bare `okemon` is its help, which has a snapshot of its own.
        let head = refused.split("\n\nUsage").next().unwrap().trim_end();
        format!("$ okemon {}\n{head}\n", line.join(" "))
    };
    assert_snapshot!(lines.iter().map(said).collect::<String>(), @"
    $ okemon 
    Prometheus, Thanos and Grafana on Oracle Kubernetes Engine, in one command
    $ okemon instal
    error: unrecognized subcommand 'instal'

      tip: a similar subcommand exists: 'install'
    $ okemon install --regoin sin
    error: unexpected argument '--regoin' found

      tip: a similar argument exists: '--region'
    $ okemon install --jobs 0
    error: invalid value '0' for '--jobs <N>': write a number from 1 to 64

    For more information, try '--help'.
    $ okemon install --timeout soon
    error: invalid value 'soon' for '--timeout <DURATION>': expected number at 0; write for example 90s or 20m

    For more information, try '--help'.
    $ okemon install --lock-timeout 9999999999999999999s
    error: invalid value '9999999999999999999s' for '--lock-timeout <DURATION>': at most 7 days; write for example 90s or 20m

    For more information, try '--help'.
    $ okemon install --timeout 8days
    error: invalid value '8days' for '--timeout <DURATION>': at most 7 days; write for example 90s or 20m

    For more information, try '--help'.
    $ okemon thanos --plan plan.json
    error: unexpected argument '--plan' found
    $ okemon install -q -v
    error: the argument '--quiet' cannot be used with '--verbose'
    $ okemon completions tcsh
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    ");
}

/// Somebody has typed what okemon starts by itself.
#[test]
fn the_watchdog_removes_no_directory_but_a_runs_own() {
    let machine = Machine::bare();
    for (name, stays) in [("precious", true), ("okemon-a1B2c3", false)] {
        let directory = machine.path(name);
        fs::create_dir(&directory).unwrap();
        result(machine.run(&["__watchdog", directory.to_str().unwrap(), "0"]));
        assert_eq!(directory.exists(), stays, "{name}");
    }
}

#[test]
fn every_fault_of_a_configuration_is_told_at_once() {
    let machine = Machine::with(
        "version: 1
charts: community
sizes: small
objectStorage: {bucket: thanos, namespace: axabcdef1234, auth: workload-identity}
clusters:
  - region: mum
    context: oke-mum
    size: medum
    colour: blue
",
    );
    assert_snapshot!(refusal(machine.run(&["install"]), 65), @r#"
    error: okemon.yaml:3:1: unknown key "sizes"; did you mean `size`?
    okemon.yaml:4:58: objectStorage.auth: workload-identity is not supported yet; write s3
    okemon.yaml:6:13: region: "mum" is not a region of OCI; did you mean `bom`?
    okemon.yaml:8:11: size: "medum" is not known; write small or medium or large
    okemon.yaml:9:5: unknown key "colour"; known here: region, name, role, context, kubeconfig, uid, access, loadBalancer, size, retention, values, placement, bucket, prefix, compartment
    "#);
    assert_eq!(refusal(machine.run(&["plan"]), 65), refusal(machine.run(&["thanos"]), 65));
}

#[test]
fn a_file_that_is_none_is_told_with_its_place() {
    let machine = Machine::with("version: 1\nclusters: [\n");
    assert_snapshot!(refusal(machine.run(&["plan"]), 65), @"error: okemon.yaml:3:1: not YAML: while parsing a node, did not find expected node content");
    assert_snapshot!(refusal(machine.run(&["plan", "--config", "other.yaml"]), 65), @"
    error: reading the configuration other.yaml: No such file or directory (os error 2)
    hint: `--config FILE` names the file to read; without it, okemon.yaml of this directory is read
    ");
}

#[test]
fn without_a_file_and_flags_it_is_said_what_would_be_enough() {
    assert_snapshot!(refusal(Machine::bare().run(&["install"]), 65), @r"
    error: there is no okemon.yaml here, and no --region. Write one; this is enough:

        version: 1
        objectStorage: {bucket: thanos, namespace: axabcdef1234, compartment: ocid1.compartment.oc1..aaaa}
        clusters:
          - {region: sin, context: oke-sin}

    or do without it:

        okemon install --region sin --context oke-sin --bucket thanos \
          --object-storage-namespace axabcdef1234 --compartment ocid1.compartment.oc1..aaaa
    ");
}

#[test]
fn a_flag_that_names_no_cluster_of_the_file_is_a_fault() {
    assert_snapshot!(refusal(Machine::with(SMALL).run(&["plan", "--region", "syd"]), 65), @r#"error: --region: "syd" is the region of no cluster of the file; it has sin in sin"#);
}

#[test]
fn a_chart_that_is_not_in_the_directory_is_told_with_the_way_to_get_it() {
    let machine = Machine::with(&format!("chartDirectory: charts\n{SMALL}"));
    fs::create_dir(machine.path("charts")).unwrap();
    assert_snapshot!(refusal(machine.run(&["plan"]), 65), @"
    error: looking for kube-prometheus-11.3.10.tgz in charts: no archive of kube-prometheus is there
    hint: `helm pull oci://registry-1.docker.io/bitnamicharts/kube-prometheus --version 11.3.10 --destination charts` brings it there
    ");
}

#[test]
fn a_directory_that_is_rendered_again_loses_what_is_wanted_no_more_and_nothing_else() {
    let machine = Machine::with(&SMALL.replace(
        "context: oke-sin",
        "context: oke-sin, loadBalancer: {subnet: ocid1.subnet.oc1.ap-singapore-1.a}, values: {thanos: own.yaml}",
    ));
    fs::write(machine.path("own.yaml"), "{}\n").unwrap();
    let before = result(machine.run(&["render", "out"]));
    for own in ["out/manifests/mine.yaml", "out/notes.txt"] {
        fs::write(machine.path(own), "mine").unwrap();
    }
    // Somebody who means well lists theirs, too.
    let readme = fs::read_to_string(machine.path("out/README.md")).unwrap();
    let listed = readme.replace("- `values/", "- `notes.txt`\n- `values/");
    fs::write(machine.path("out/README.md"), listed).unwrap();

    fs::write(machine.path("okemon.yaml"), SMALL).unwrap();
    let after = result(machine.run(&["render", "out"]));
    let only_in = |one: &str, other: &str| -> Vec<String> {
        one.lines().filter(|line| !other.lines().any(|o| o == *line)).map(str::to_owned).collect()
    };
    assert_eq!(
        only_in(&before, &after),
        ["out/manifests/storeapi.yaml", "out/values/thanos-own.yaml"]
    );
    assert_eq!(only_in(&after, &before), [""; 0]);
    for gone in only_in(&before, &after) {
        assert!(!machine.path(&gone).exists(), "{gone}");
    }
    let kept = after.lines().chain(["out/manifests/mine.yaml", "out/notes.txt"]);
    for path in kept {
        assert!(machine.path(path).exists(), "{path}");
    }
}

#[test]
fn all_missing_tools_are_named_and_only_those_that_are_needed() {
    let machine = Machine::with(SMALL);
    assert_snapshot!(refusal(machine.run(&["install"]), 69), @"
    error: cannot find `helm` on PATH
    cannot find `kubectl` on PATH
    hint: brew install helm, or see https://helm.sh/docs/intro/install
    brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    ");
    assert_snapshot!(refusal(machine.run(&["secret"]), 69), @"
    error: cannot find `kubectl` on PATH
    hint: brew install kubectl, or see https://kubernetes.io/docs/tasks/tools
    ");
}

#[test]
fn where_nobody_can_be_asked_both_missing_keys_are_named() {
    let machine = Machine::with(SMALL).tools(&["helm", "kubectl"], &json!([{}]));
    let off_a_terminal = refusal(machine.run(&["install"]), 65);
    assert_snapshot!(off_a_terminal, @"
    error: looking for the bucket's keys: OKEMON_S3_ACCESS_KEY and OKEMON_S3_SECRET_KEY are not set (nor their _FILE forms), and the cluster has no Secret thanos-objstore-config
    hint: `oci iam customer-secret-key create --user-id OCID --display-name thanos` makes a pair; its `id` is the access key, its `key` the secret
    ");
    assert_eq!(refusal(machine.run(&["install", "--no-input"]), 65), off_a_terminal);
    let one = |machine: &Machine, key: (&str, &str)| {
        refusal(machine.ended(machine.okemon(&["install"]).envs([key])), 65)
    };
    assert_snapshot!(KEYS.map(|key| one(&machine, key)).concat(), @"
    error: reading the bucket's keys: OKEMON_S3_ACCESS_KEY is set and OKEMON_S3_SECRET_KEY is not
    hint: `export OKEMON_S3_SECRET_KEY=...`, or OKEMON_S3_SECRET_KEY_FILE=FILE, gives the other half
    error: reading the bucket's keys: OKEMON_S3_SECRET_KEY is set and OKEMON_S3_ACCESS_KEY is not
    hint: `export OKEMON_S3_ACCESS_KEY=...`, or OKEMON_S3_ACCESS_KEY_FILE=FILE, gives the other half
    ");
}

#[test]
fn keys_are_asked_for_again_where_the_cluster_gave_up_for_a_moment() {
    let script = json!([
        {"has": ["get secret"], "after": 1},
        {"stderr": "Error from server: etcdserver: request timed out", "status": 1},
    ]);
    let machine = Machine::with(SMALL).tools(&["helm", "kubectl"], &script);
    let said = refusal(machine.run(&["install"]), 65);
    assert!(said.starts_with("error: looking for the bucket's keys: "), "{said}");
}

#[test]
fn ctrl_c_where_the_keys_are_asked_for_is_no_missing_key() {
    let machine = Machine::with(SMALL).tools(&["helm", "kubectl"], &json!([{}]));
    let mut okemon = machine.okemon(&["install"]);
    okemon.env("TERM", "xterm").stdin(Stdio::inherit());
    let mut session = rexpect::session::spawn_command(okemon, Some(60_000)).unwrap();
    session.exp_string("(not shown): ").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("interrupted at the question: nothing was changed").unwrap();
    session.exp_eof().unwrap();
    let status = session.process().wait().unwrap();
    assert!(matches!(status, nix::sys::wait::WaitStatus::Exited(_, 130)), "{status:?}");
}

#[test]
fn an_error_has_colours_only_when_they_are_wanted() {
    let machine = Machine::with(SMALL);
    let colourful = |args: &[&str], variables: &[(&str, &str)]| {
        let mut okemon = machine.okemon(args);
        okemon.envs(variables.iter().copied());
        refusal(machine.ended(&mut okemon), 69).contains('\u{1b}')
    };
    let no_color = [("NO_COLOR", "1")];
    assert!(!colourful(&["install"], &[]), "off a terminal");
    assert!(!colourful(&["install", "--color", "never"], &[]));
    assert!(colourful(&["install", "--color", "always"], &[]));
    assert!(colourful(&["install", "--color", "always"], &no_color), "a flag wins");
    let on_a_terminal = |variables: &[(&str, &str)]| {
        let mut okemon = machine.okemon(&["install"]);
        okemon.env("TERM", "xterm").envs(variables.iter().copied());
        let mut session = rexpect::session::spawn_command(okemon, Some(60_000)).unwrap();
        session.exp_eof().unwrap().contains('\u{1b}')
    };
    assert!(on_a_terminal(&[]));
    assert!(!on_a_terminal(&no_color));
}
