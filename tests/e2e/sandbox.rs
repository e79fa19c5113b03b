//! A real cluster for a test, and okemon run against it as a user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::charts::charts;
use crate::variants::{Charts, Helm, pods_are_run};

/// A sandbox with one empty cluster, `sin`, and one S3 server. It goes when it is dropped.
pub(crate) struct Sandbox {
    directory: tempfile::TempDir,
    info: Value,
    charts: Charts,
}

/// kubectl and helm end before it is worth their while to collect memory: a sixth of an install that changes nothing.
const BRIEF: [(&str, &str); 1] = [("GOGC", "off")];

/// What a finished okemon left.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// Brings it up, with a configuration that leads to it; kwok plays the pods.
    pub(crate) fn up() -> Self {
        Self::begin(Charts::of_the_tests(), &["up", "sin"])
    }

    /// The same for what each family of charts has to pass: where the machine can, the pods are run.
    pub(crate) fn up_for(charts: Charts) -> Self {
        if pods_are_run() {
            Self::up_with_pods(charts)
        } else {
            Self::begin(charts, &["up", "sin"])
        }
    }

    /// The same, with its pods run as processes (this needs root).
    pub(crate) fn up_with_pods(charts: Charts) -> Self {
        Self::begin(charts, &["up", "sin", "--pods"])
    }

    /// One whose pods are run, for tests that leave each other alone. It goes when the tests end.
    pub(crate) fn shared_with_pods() -> &'static Self {
        static SHARED: OnceLock<Sandbox> = OnceLock::new();
        SHARED.get_or_init(|| Self::up_with_pods(Charts::Bitnami))
    }

    /// Brings it up with a command of the driver.
    fn begin(charts: Charts, up: &[&str]) -> Self {
        let base = repository().join("target/e2e");
        std::fs::create_dir_all(&base).unwrap();
        let directory = tempfile::Builder::new().prefix("s").tempdir_in(base).unwrap();
        let mut sandbox = Self { directory, info: Value::Null, charts };
        // Whatever ends the tests, nothing of it is left.
        let own = std::process::id().to_string();
        sandbox.driver(&[up, &["--while", &own]].concat());
        let text = std::fs::read_to_string(sandbox.path("sandbox.json")).unwrap();
        sandbox.info = serde_json::from_str(&text).unwrap();
        std::fs::create_dir(sandbox.tool("")).unwrap();
        sandbox.link("kubectl", "kubectl");
        sandbox.use_helm(Helm::of_the_tests());
        sandbox.configure("");
        sandbox
    }

    /// From now on `helm` is this one.
    pub(crate) fn use_helm(&self, helm: Helm) {
        let _ = std::fs::remove_file(self.tool("helm"));
        match helm {
            Helm::Three => self.link("helm", "helm3"),
            Helm::Four => self.link("helm", "helm"),
        }
    }

    pub(crate) fn charts(&self) -> Charts {
        self.charts
    }

    /// The archive that a release is installed from.
    pub(crate) fn chart(&self, release: &str) -> String {
        let chart = match (release, self.charts) {
            ("prometheus", Charts::Bitnami) => "kube-prometheus-11.3.10",
            ("prometheus", Charts::Community) => "kube-prometheus-stack-88.5.3",
            ("thanos", Charts::Bitnami) => "thanos-17.3.1",
            ("thanos", Charts::Community) => "thanos-0.38.0",
            _ => "grafana-12.11.1",
        };
        charts(self.charts).join(format!("{chart}.tgz")).display().to_string()
    }

    /// What somebody sets who installs a release by hand; none: nothing.
    pub(crate) fn values_by_hand(&self, release: &str) -> Option<String> {
        let name = format!("tests/data/by-hand/{}-{release}.yaml", self.charts.name());
        let path = repository().join(name);
        path.exists().then(|| path.display().to_string())
    }

    fn link(&self, name: &str, program: &str) {
        let program = Path::new(self.info["bin"].as_str().unwrap()).join(program);
        std::os::unix::fs::symlink(program, self.tool(name)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes `okemon.yaml`, with `more` at its end, and more lines of the cluster after that.
    pub(crate) fn configure(&self, more: &str) {
        let s3 = self.info["s3"]["endpoint"].as_str().unwrap();
        let (charts, name) = (charts(self.charts), self.charts.name());
        let text = format!(
            "version: 1\ncharts: {name}\nchartDirectory: {}\nobjectStorage:\n  bucket: thanos\n  endpoint: {s3}\n{more}\nclusters:\n  - region: sin\n    context: oke-sin\n    kubeconfig: {}\n",
            charts.display(),
            self.cluster("kubeconfig"),
        );
        std::fs::write(self.path("okemon.yaml"), text).unwrap();
    }

    /// Adds lines to the one cluster of the configuration, which is its last part.
    pub(crate) fn configure_cluster(&self, lines: &str) {
        let path = self.path("okemon.yaml");
        let text = std::fs::read_to_string(&path).unwrap() + lines;
        std::fs::write(path, text).unwrap();
    }

    /// A fact of the S3 server: its `endpoint`, the `directory` with its buckets.
    pub(crate) fn s3(&self, field: &str) -> &str {
        self.info["s3"][field].as_str().unwrap()
    }

    pub(crate) fn cluster(&self, field: &str) -> String {
        self.info["clusters"]["sin"][field].as_str().unwrap().to_owned()
    }

    /// okemon, ready to be started: off a terminal, with the keys in its environment.
    pub(crate) fn okemon(&self, args: &[&str]) -> Command {
        let mut command = self.inside(env!("CARGO_BIN_EXE_okemon"));
        command
            .args(args)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", self.tool("").display()))
            .env("HOME", self.directory.path())
            .env("TMPDIR", self.directory.path())
            .envs(BRIEF)
            .env("OKEMON_S3_ACCESS_KEY", self.info["s3"]["accessKey"].as_str().unwrap())
            .env("OKEMON_S3_SECRET_KEY", self.info["s3"]["secretKey"].as_str().unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A program, to be started where the sandbox's network is; kubectl and helm go there by themselves.
    pub(crate) fn inside(&self, program: &str) -> Command {
        let entering = self.info["enter"].as_array().unwrap().iter();
        let mut words = entering.map(|word| word.as_str().unwrap()).chain([program]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        command
    }

    /// Runs okemon to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        ran(&mut self.okemon(args))
    }

    /// Runs okemon, which must refuse with this code; what it says.
    pub(crate) fn refused(&self, code: i32, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(code), ""), "{}", ended.stderr);
        self.said(&ended.stderr)
    }

    /// What okemon said, the same in every run: see [`crate::words::stable`].
    pub(crate) fn said(&self, text: &str) -> String {
        let s3 = self.info["s3"]["endpoint"].as_str().unwrap();
        let charts = charts(self.charts);
        let names = [
            (env!("CARGO_BIN_EXE_okemon"), "okemon"),
            (s3, "S3"),
            (s3.trim_start_matches("http://"), "S3"),
            (charts.to_str().unwrap(), "CHARTS"),
            (self.directory.path().to_str().unwrap(), "HERE"),
        ];
        let text = names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        crate::words::stable(&text)
    }

    /// Runs an install that must succeed.
    pub(crate) fn install(&self) -> Ended {
        let ended = self.run(&["install", "--region", "sin"]);
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
        ended
    }

    /// What kubectl prints, as the administrator.
    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        let ended = self.try_kubectl(args);
        assert_eq!(ended.code, Some(0), "kubectl {args:?}: {}", ended.stderr);
        ended.stdout
    }

    /// What became of kubectl, as the administrator.
    pub(crate) fn try_kubectl(&self, args: &[&str]) -> Ended {
        let mut kubectl = Command::new(self.tool("kubectl"));
        ran(kubectl.envs(BRIEF).args(["--kubeconfig", &self.cluster("adminKubeconfig")]).args(args))
    }

    /// Applies a manifest, as the administrator.
    pub(crate) fn apply(&self, manifest: &str) {
        // Of its own: tests that share a sandbox apply side by side.
        let file = tempfile::Builder::new().suffix(".yaml").tempfile_in(self.path("")).unwrap();
        std::fs::write(file.path(), manifest).unwrap();
        self.kubectl(&[
            "apply",
            "--server-side",
            "--force-conflicts",
            "-f",
            file.path().to_str().unwrap(),
        ]);
    }

    /// One object of the namespace, as the administrator sees it.
    pub(crate) fn object(&self, kind: &str, name: &str) -> Value {
        let text = self.kubectl(&["get", kind, name, "--namespace", "monitoring", "-o", "json"]);
        serde_json::from_str(&text).unwrap()
    }

    /// What helm prints, as the administrator.
    pub(crate) fn helm(&self, args: &[&str]) -> String {
        let output = Command::new(self.tool("helm"))
            .envs(BRIEF)
            .args(["--kubeconfig", &self.cluster("adminKubeconfig"), "--namespace", "monitoring"])
            .args(args)
            .output()
            .unwrap();
        let ended = ended(&output);
        assert_eq!(ended.code, Some(0), "helm {args:?}: {}", ended.stderr);
        ended.stdout
    }

    /// What a user has on PATH: helm and kubectl.
    pub(crate) fn tool(&self, name: &str) -> PathBuf {
        self.path("tools").join(name)
    }

    /// Every object that an install leaves, without what differs from one to the next.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let kinds = "namespaces,serviceaccounts,secrets,configmaps,services,deployments,statefulsets,daemonsets,poddisruptionbudgets,networkpolicies,persistentvolumeclaims,clusterroles,clusterrolebindings,roles,rolebindings,prometheuses,alertmanagers,servicemonitors,prometheusrules,customresourcedefinitions";
        let text = self.kubectl(&["get", kinds, "--all-namespaces", "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        let s3 = self.s3("endpoint").trim_start_matches("http://");
        let items = list["items"].as_array().unwrap();
        items.iter().filter_map(|object| crate::objects::stripped(object, s3)).collect()
    }

    /// The releases, as `NAME REVISION STATUS`.
    pub(crate) fn releases(&self) -> Vec<String> {
        let list: Value = serde_json::from_str(&self.helm(&["list", "-o", "json"])).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |release: &Value| {
            format!(
                "{} {} {}",
                text(&release["name"]),
                text(&release["revision"]),
                text(&release["status"])
            )
        };
        list.as_array().unwrap().iter().map(row).collect()
    }

    /// A mark in the audit log, its present end, for [`Self::changes_since`].
    pub(crate) fn mark(&self) -> String {
        std::fs::metadata(self.cluster("auditLog")).unwrap().len().to_string()
    }

    /// What okemon changed since the mark, its own Lease and dry runs excepted.
    pub(crate) fn changes_since(&self, mark: &str) -> Vec<String> {
        let log = self.driver(&["audit", "sin", "--user", "okemon", "--since", mark]);
        log.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|request| request["dryRun"] != true && request["resource"] != "leases")
            // Asking what one may do is a POST that changes nothing.
            .filter(|request| request["group"] != "authorization.k8s.io")
            .map(|request| {
                format!("{} {} {}", request["verb"], request["resource"], request["name"])
                    .replace('"', "")
            })
            .collect()
    }

    /// The buckets that there are.
    pub(crate) fn buckets(&self) -> Vec<String> {
        let directory = std::fs::read_dir(self.s3("directory")).unwrap();
        let names =
            directory.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    pub(crate) fn fault(&self, fault: &str) {
        self.driver(&["fault", "sin", fault]);
    }

    pub(crate) fn heal(&self, fault: &str) {
        self.driver(&["heal", "sin", fault]);
    }

    pub(crate) fn driver(&self, args: &[&str]) -> String {
        let output = Command::new(repository().join("tests/sandbox/sandbox"))
            .arg("--state")
            .arg(self.directory.path())
            .args(args)
            .output()
            .unwrap();
        let ended = ended(&output);
        assert_eq!(ended.code, Some(0), "sandbox {args:?}: {}{}", ended.stdout, ended.stderr);
        ended.stdout
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = Command::new(repository().join("tests/sandbox/sandbox"))
            .arg("--state")
            .arg(self.directory.path())
            .arg("down")
            .output();
    }
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn without_keys(okemon: &mut Command) -> &mut Command {
    okemon.env_remove("OKEMON_S3_ACCESS_KEY").env_remove("OKEMON_S3_SECRET_KEY")
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ended {
    ended(&command.output().unwrap())
}

pub(crate) fn ended(output: &Output) -> Ended {
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The lines of a cluster that has a load balancer for its `StoreAPI`.
pub(crate) const LOAD_BALANCER: &str =
    "    loadBalancer: {type: nlb, subnet: ocid1.subnet.oc1.ap-singapore-1.aaaa}\n";

/// Waits until something outside has become true.
pub(crate) fn eventually(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(2);
    while !is() {
        assert!(Instant::now() < deadline, "not within two minutes: {what}");
        std::thread::sleep(Duration::from_millis(500));
    }
}
