//! What okemon says of itself: help, the man page, completions, the version, the images it installs.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::machine::{KEYS, Machine, SMALL, refusal, result};

#[test]
fn every_command_says_what_it_does() {
    let machine = Machine::bare();
    assert_snapshot!("help", result(machine.run(&["--help"])));
    assert_snapshot!("help-install", result(machine.run(&["install", "--help"])));
    assert_snapshot!("help-plan", result(machine.run(&["plan", "--help"])));
    for command in ["bucket", "secret", "prometheus", "thanos", "grafana"] {
        // A plan is reviewed as a whole.
        let tail = |text: String| text.split_once("      --dry-run").unwrap().1.to_owned();
        let help = result(machine.run(&[command, "--help"]));
        assert!(!help.contains("--plan"), "{command}");
        let install = tail(result(machine.run(&["install", "--help"])));
        assert_eq!(tail(help), install, "{command}");
    }
    for command in ["completions", "man"] {
        assert_snapshot!(format!("help-{command}"), result(machine.run(&[command, "--help"])));
    }
}

#[test]
fn help_is_the_same_with_secrets_and_settings_in_the_environment() {
    let machine = Machine::bare();
    let mut okemon = machine.okemon(&["install", "--help"]);
    okemon.envs(KEYS).env("OKEMON_BUCKET", "mine");
    assert_eq!(result(machine.ended(&mut okemon)), result(machine.run(&["install", "--help"])));
}

#[test]
fn the_images_are_listed_as_they_are_pulled_and_where_they_come_from() {
    let machine = Machine::bare();
    let list = |args: &[&str]| result(machine.run(&[&["images"], args].concat()));
    let upstream = list(&[]);
    assert_snapshot!(upstream, @"
    quay.io/prometheus-operator/prometheus-operator:v0.85.0
    quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0
    quay.io/prometheus/prometheus:v3.5.0
    quay.io/prometheus/alertmanager:v0.28.1
    quay.io/prometheus/node-exporter:v1.9.1
    registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.16.0
    quay.io/thanos/thanos:v0.39.2
    docker.io/grafana/grafana:13.2.0
    quay.io/kiwigrid/k8s-sidecar:2.10.1
    ");
    assert_eq!(list(&["--region", "sin"]), upstream);
    let mirror = ["--image-registry", "sin.ocir.io/mytenancy"];
    let mirrored = list(&mirror);
    assert_eq!(mirrored.lines().count(), upstream.lines().count());
    assert!(mirrored.lines().all(|image| image.starts_with("sin.ocir.io/mytenancy/")));
    assert_eq!(list(&[&mirror[..], &["--upstream"]].concat()), upstream);
    fs::write(
        machine.path("okemon.yaml"),
        format!("{SMALL}imageRegistry: sin.ocir.io/mytenancy\n"),
    )
    .unwrap();
    assert_eq!(list(&[]), mirrored);
    assert_snapshot!(refusal(machine.run(&["images", "--image-registry", "https://a"]), 65), @r#"error: --image-registry: "https://a" has a scheme; write "a""#);
    fs::remove_file(machine.path("okemon.yaml")).unwrap();
    assert_snapshot!(refusal(machine.run(&["images", "--image-registry", "https://a"]), 65), @r#"error: --image-registry: "https://a" has a scheme; write "a""#);
}

#[test]
fn completions_are_there_for_every_shell_and_its_own_parser_takes_them() {
    let machine = Machine::bare();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = result(machine.run(&["completions", shell]));
        for word in ["install", "region", "lock-timeout"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        assert!(!script.contains("__watchdog"), "{shell}: what is hidden stays hidden");
        let check = match shell {
            "bash" | "zsh" => vec![shell, "-n"],
            "fish" => vec![shell, "--no-execute"],
            _ => continue,
        };
        // bash is everywhere; the others where they are.
        let child = Command::new(check[0]).args(&check[1..]).stdin(Stdio::piped()).spawn();
        let Ok(mut child) = child else { continue };
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{shell}");
    }
}

#[test]
fn the_man_page_has_its_sections() {
    let page = result(Machine::bare().run(&["man"]));
    let sections: Vec<_> = page.lines().filter(|line| line.starts_with(".SH")).collect();
    assert_snapshot!(sections.join("\n"), @"
    .SH NAME
    .SH SYNOPSIS
    .SH DESCRIPTION
    .SH OPTIONS
    .SH GENERAL
    .SH SUBCOMMANDS
    .SH EXTRA
    .SH VERSION
    ");
    assert!(!page.contains("__watchdog"), "{page}");
}

#[test]
fn the_version_is_the_packages() {
    let version = format!("okemon {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(result(Machine::bare().run(&["--version"])), version);
}
