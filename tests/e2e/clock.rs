//! A machine whose clock is wrong: what a real S3 server and a real kubectl make of it, in full.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, ran, repository};

const DAY: i64 = 24 * 60 * 60;

/// The library that sets a program's clock: see `clock.c`.
fn clock(sandbox: &Sandbox) -> PathBuf {
    let library = sandbox.path("clock.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(&library);
    let made = compiler.arg(repository().join("tests/e2e/clock.c")).status().unwrap();
    assert!(made.success());
    library
}

fn with_clock<'a>(command: &'a mut Command, sandbox: &Sandbox, ahead: i64) -> &'a mut Command {
    command.env("LD_PRELOAD", clock(sandbox)).env("CLOCK_OFFSET", ahead.to_string())
}

#[test]
fn a_clock_that_object_storage_does_not_accept_is_told_with_how_wrong_it_is() {
    let sandbox = Sandbox::up();
    let bucket = |ahead: i64| {
        let mut okemon = sandbox.okemon(&["bucket"]);
        let ended = ran(with_clock(&mut okemon, &sandbox, ahead));
        format!("{:?}\n{}\n", ended.code, sandbox.said(&ended.stderr))
    };
    assert_snapshot!(bucket(-40 * 60), @"
    Some(1)
    okemon bucket
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    sin/bucket  failed: cannot find bucket thanos at S3: this machine's clock is 40m behind the server's
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: sin/bucket: cannot find bucket thanos at S3: this machine's clock is 40m behind the server's
    hint: `timedatectl set-ntp true` sets the clock and keeps it right
    ");
    assert_snapshot!(bucket(-3 * DAY), @"
    Some(1)
    okemon bucket
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    sin/bucket  failed: cannot find bucket thanos at S3: this machine's clock is 3days behind the server's
    Failed: 0 changed, 0 unchanged, 1 failed (T)
    error: sin/bucket: cannot find bucket thanos at S3: this machine's clock is 3days behind the server's
    hint: `timedatectl set-ntp true` sets the clock and keeps it right
    ");
    assert_eq!(sandbox.buckets(), Vec::<String>::new());
    // Within what a signature allows for.
    assert_snapshot!(bucket(-10 * 60), @"
    Some(0)
    okemon bucket
        sin: ap-singapore-1, context oke-sin, namespace monitoring
    + sin/bucket  create the bucket thanos in ap-singapore-1
    Plan: 1 to change, 0 unchanged.
    sin/bucket  created the bucket thanos in ap-singapore-1 (T)
    Done: 1 changed, 0 unchanged (T)
    ");
}

/// A server with a certificate that was made for one day when the clock was `ahead`.
struct Server {
    process: Child,
    /// Never read from again: it would end for want of a reader.
    _stdout: BufReader<ChildStdout>,
    port: u16,
    certificate: PathBuf,
}

impl Server {
    fn start(sandbox: &Sandbox, ahead: i64) -> Self {
        let (key, certificate) = (sandbox.path("server.key"), sandbox.path("server.pem"));
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]);
        openssl.args(["-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"]);
        openssl.arg(&key).arg("-out").arg(&certificate);
        let made = ran(with_clock(&mut openssl, sandbox, ahead));
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let mut server = Command::new("openssl");
        server.args(["s_server", "-www", "-accept", "127.0.0.1:0", "-key"]).arg(&key);
        server.arg("-cert").arg(&certificate);
        let mut process = server
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut lines = stdout.by_ref().lines().map_while(Result::ok);
        let accepts = lines.find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
        Self { process, _stdout: stdout, port: accepts.unwrap(), certificate }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_certificate_out_of_its_time_may_be_the_clocks_fault() {
    let sandbox = Sandbox::up();
    let kubeconfig = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let said = |ahead: i64, known: bool| {
        let server = Server::start(&sandbox, ahead);
        let mut kubeconfig: Value = serde_json::from_str(&kubeconfig).unwrap();
        let cluster = &mut kubeconfig["clusters"][0]["cluster"];
        cluster["server"] = json!(format!("https://127.0.0.1:{}", server.port));
        if known {
            *cluster =
                json!({"server": cluster["server"], "certificate-authority": server.certificate});
        }
        std::fs::write(sandbox.path("other"), kubeconfig.to_string()).unwrap();
        let code = if known { 1 } else { 65 };
        let said = sandbox.refused(code, &["secret", "--kubeconfig", "other"]);
        let (_, error) = said.split_once("\nerror: ").unwrap();
        let time = |word: &str| word.starts_with("20") && word.contains('T');
        let words = error.split_inclusive([' ', '\n']).map(|word| match word.trim_end() {
            bare if time(bare) => word.replace(bare, "TIME"),
            _ => word.to_owned(),
        });
        words.collect::<String>().replace(&server.port.to_string(), "PORT")
    };
    assert_snapshot!(said(-10 * DAY, true), @"
    sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time TIME is after TIME
    hint: `date -u` shows this machine's clock, and `timedatectl set-ntp true` sets it; when it is right, the API server's certificate has to be renewed
    ");
    assert_snapshot!(said(10 * DAY, true), @"
    sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: Unable to connect to the server: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time TIME is before TIME
    hint: `date -u` shows this machine's clock, and `timedatectl set-ntp true` sets it; when it is right, the API server's certificate has to be renewed
    ");
    assert_snapshot!(said(0, false), @"
    sin/cluster: running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`: Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by unknown authority
    hint: `oci ce cluster create-kubeconfig --cluster-id OCID` writes the cluster's own authority into the kubeconfig; if that does not help, something between here and the cluster opens TLS
    ");
}
