//! Kubeconfigs whose credential helper does not do what it should: what okemon makes of it, in full.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use insta::assert_snapshot;
use k8s_openapi::ByteString;
use okemon::config::names::ClusterName;
use okemon::fail::Fail;
use okemon::run::exec::{Exec, Place, Setup};
use okemon::run::programs::Programs;
use okemon::run::stop::Stop;
use okemon::tools::cmd::{Cmd, Tool};
use serde_json::{Value, json};

use crate::sandbox::{Sandbox, ran};

/// The sandbox's kubeconfig, changed; where it lies.
fn kubeconfig(sandbox: &Sandbox, change: impl FnOnce(&mut Value)) -> PathBuf {
    let text = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    change(&mut kubeconfig);
    std::fs::write(sandbox.path("other"), kubeconfig.to_string()).unwrap();
    sandbox.path("other")
}

/// The same with a helper, a shell script, in the place of the credential.
fn with_helper(sandbox: &Sandbox, script: &str, more: &Value) -> PathBuf {
    let mut helper = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/bin/sh",
        "args": ["-c", script],
        "interactiveMode": "IfAvailable",
    });
    helper.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    kubeconfig(sandbox, |kubeconfig| kubeconfig["users"][0]["user"] = json!({"exec": helper}))
}

/// Writes down what a good helper prints; where.
fn credential(sandbox: &Sandbox) -> PathBuf {
    let text = std::fs::read_to_string(sandbox.cluster("kubeconfig")).unwrap();
    let kubeconfig: Value = serde_json::from_str(&text).unwrap();
    let user = &kubeconfig["users"][0]["user"];
    let pem = |field: &str| {
        let bytes: ByteString = serde_json::from_value(user[field].clone()).unwrap();
        String::from_utf8(bytes.0).unwrap()
    };
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {
            "clientCertificateData": pem("client-certificate-data"),
            "clientKeyData": pem("client-key-data"),
        },
    });
    std::fs::write(sandbox.path("credential"), credential.to_string()).unwrap();
    sandbox.path("credential")
}

#[test]
fn a_helper_that_answers_badly_is_told_with_its_fault() {
    let sandbox = Sandbox::up();
    let (mark, good) = (sandbox.mark(), credential(&sandbox));
    let good = format!("cat {}", good.display());
    let said = |code: i32, script: &str, more: Value| {
        let kubeconfig = with_helper(&sandbox, script, &more);
        let said = sandbox.refused(code, &["secret", "--kubeconfig", kubeconfig.to_str().unwrap()]);
        let (_, error) = said.split_once("\nerror: ").unwrap_or(("", &said));
        error.replace("running `kubectl --context oke-sin --namespace monitoring get namespace kube-system -o json`", "LOOK")
    };
    let refused = [
        said(77, &format!("echo Refreshing the session; {good}"), json!({})),
        said(
            77,
            "echo '{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": \"ExecCredential\", \"status\": {}}'",
            json!({}),
        ),
        said(77, "true", json!({})),
        said(77, &good, json!({"interactiveMode": "Always"})),
        said(69, "", json!({"command": "/nowhere/oci"})),
        said(69, "", json!({"command": "oci-of-nobody"})),
    ];
    assert_snapshot!(refused.join("\n\n"), @r#"
    sin/cluster: LOOK: Unable to connect to the server: getting credentials: decoding stdout: couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }
    hint: `kubectl config view --minify` shows the credential helper: by itself it must print the credential and nothing else, so turn off its banners and warnings

    sin/cluster: LOOK: Unable to connect to the server: getting credentials: exec plugin didn't return a token or cert/key pair
    hint: `kubectl config view --minify` shows the credential helper, which ended well and printed no credential; its command, typed by hand, may tell why

    sin/cluster: LOOK: Unable to connect to the server: getting credentials: exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin returned version client.authentication.k8s.io/__internal
    hint: `kubectl config view --minify` shows the credential helper, which ended well and printed no credential; its command, typed by hand, may tell why

    sin/cluster: LOOK: Unable to connect to the server: getting credentials: exec plugin cannot support interactive mode: standard input is not a terminal
    hint: `kubectl config view --minify` shows the credential helper, which wants to ask somebody; let it answer by itself, or name a kubeconfig with other credentials by `kubeconfig:` or --kubeconfig

    sin/cluster: LOOK: Unable to connect to the server: getting credentials: exec: fork/exec /nowhere/oci: no such file or directory
    hint: `kubectl config view --minify` shows the credential helper, which is not on this machine; `pip install oci-cli` brings that of OKE

    sin/cluster: LOOK:  It looks like you are trying to use a client-go credential plugin that is not installed.
         To learn more about this feature, consult the documentation available at:
               https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
         >
        Unable to connect to the server: getting credentials: exec: executable oci-of-nobody not found
        It looks like you are trying to use a client-go credential plugin that is not installed.
        To learn more about this feature, consult the documentation available at:
              https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
    hint: `kubectl config view --minify` shows the credential helper, which is not on this machine; `pip install oci-cli` brings that of OKE
    "#);
    assert_eq!(sandbox.changes_since(&mark), Vec::<String>::new());

    // What it says on stderr is for people.
    let noisy = format!("echo Refreshing the session >&2; {good}");
    let kubeconfig = with_helper(&sandbox, &noisy, &json!({}));
    let args = ["plan", "--live", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let ended = ran(&mut sandbox.okemon(&args));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
}

/// What is said of a question to the cluster that has no answer in time, which is a minute for users.
fn without_answer(sandbox: &Sandbox, kubeconfig: PathBuf) -> String {
    let cluster: ClusterName = "sin".parse().unwrap();
    let path = format!("{}:/usr/bin:/bin", sandbox.path("tools").display());
    let home = sandbox.path("");
    let environment = BTreeMap::from([
        ("PATH".into(), (&path).into()),
        ("HOME".into(), (&home).into()),
        ("TMPDIR".into(), (&home).into()),
    ]);
    let place = Place { kubeconfig: Some(kubeconfig.into()) };
    let args = ["--context", "oke-sin", "get", "namespace", "kube-system"];
    let cmd = Cmd::new(Tool::Kubectl, args).on(&cluster).timeout(Duration::from_secs(5));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let failure = runtime.block_on(async {
        let exec = Exec::start(Setup {
            programs: Programs::find([Tool::Kubectl], path.as_ref()).unwrap(),
            places: [(cluster, place)].into(),
            environment,
            okemon: env!("CARGO_BIN_EXE_okemon").into(),
            grace: Duration::from_secs(1),
        });
        exec.unwrap().run(&cmd, None, &Stop::default()).await.unwrap_err()
    });
    let Fail { error, hint, .. } = failure.into();
    format!("error: {error}\nhint: {}", hint.unwrap_or_default())
}

#[test]
fn a_helper_that_hangs_is_told_apart_from_a_server_that_does() {
    let sandbox = Sandbox::up();
    std::fs::write(sandbox.path("login"), "#!/bin/sh\necho open the browser >&2\nsleep 1000\n")
        .unwrap();
    let helper = json!({"args": [sandbox.path("login")]});
    let helper = with_helper(&sandbox, "", &helper);
    assert_snapshot!(without_answer(&sandbox, helper), @"
    error: `kubectl --context oke-sin get namespace kube-system` was ended: it had no answer after 5s and waited for `sh`, which it had started; it said: open the browser
    hint: `kubectl get namespaces` runs the same credential helper: it may wait for a login, a question or a network; `oci session authenticate` when its session has expired
    ");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        // Reads what is asked, until the caller has had enough of it.
        for mut caller in listener.incoming().flatten() {
            std::thread::spawn(
                move || while caller.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {},
            );
        }
    });
    let server = json!({"server": format!("http://127.0.0.1:{port}")});
    let silent = kubeconfig(&sandbox, |kubeconfig| kubeconfig["clusters"][0]["cluster"] = server);
    assert_snapshot!(without_answer(&sandbox, silent), @"
    error: `kubectl --context oke-sin get namespace kube-system` was ended: it had no answer after 5s
    hint: `kubectl cluster-info` shows whether the API server answers from here; a private endpoint needs a way into its network
    ");
}
