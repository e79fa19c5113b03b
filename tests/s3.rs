//! The S3 requests against a real server that checks signatures: versitygw, as `make tools` builds it.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "no part of okemon")]

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use jiff::{SignedDuration, Timestamp};
use okemon::run::http;
use okemon::tools::s3::{Act, Found, Keys, Refused, S3Request};

const REGION: &str = "ap-singapore-1";

/// A server with one user, on a port and in a directory of its own.
struct Server {
    process: Child,
    endpoint: String,
    _directory: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(versitygw())
            .args(["--port", &address.to_string(), "--region", REGION, "--quiet", "posix"])
            .arg(directory.path())
            .env("ROOT_ACCESS_KEY", "okemon")
            .env("ROOT_SECRET_KEY", "secret")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, endpoint: format!("http://{address}"), _directory: directory };
        let deadline = Instant::now() + Duration::from_mins(1);
        while TcpStream::connect(address).is_err() {
            assert!(Instant::now() < deadline, "versitygw does not listen on {address}");
            thread::sleep(Duration::from_millis(5));
        }
        server
    }

    fn request(&self, act: Act) -> S3Request {
        let (endpoint, region) = (self.endpoint.clone(), REGION.to_owned());
        S3Request { act, endpoint, region, bucket: "thanos".to_owned() }
    }

    /// What the server makes of `request`, without its address.
    async fn said(&self, request: &S3Request, keys: &Keys, now: Timestamp) -> String {
        let refused = send(request, keys, now).await.unwrap_err().to_string();
        refused.replace(self.endpoint.trim_start_matches("http://"), "HOST")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn versitygw() -> PathBuf {
    let tools = env::var_os("OKEMON_TOOLS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools"), PathBuf::from);
    fs::read_dir(&tools)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path().join("versitygw"))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("no versitygw in {}: run `make tools` first", tools.display()))
}

fn keys(access: &str, secret: &str) -> Keys {
    Keys { access: access.into(), secret: secret.into() }
}

async fn send(request: &S3Request, keys: &Keys, now: Timestamp) -> Result<Found, Refused> {
    let answer = http::send(request.sign(keys, now)?).await.unwrap();
    request.read(&answer, now)
}

#[tokio::test]
async fn a_bucket_is_made_once() {
    let (server, keys, now) = (Server::start(), keys("okemon", "secret"), Timestamp::now());
    let (find, create) = (server.request(Act::Find), server.request(Act::Create));
    assert_eq!(send(&find, &keys, now).await, Ok(Found::Absent));
    assert_eq!(send(&create, &keys, now).await, Ok(Found::Present));
    assert_eq!(send(&find, &keys, now).await, Ok(Found::Present));
    assert_eq!(send(&create, &keys, now).await, Ok(Found::Present));
}

#[tokio::test]
async fn every_refusal_is_told_apart() {
    let (server, now) = (Server::start(), Timestamp::now());
    let find = server.request(Act::Find);
    let elsewhere = S3Request { region: "us-ashburn-1".into(), ..find.clone() };
    let right = keys("okemon", "secret");
    // Of a bucket that is not there it says so, whatever the signature.
    send(&server.request(Act::Create), &right, now).await.unwrap();
    let behind = now - SignedDuration::from_mins(16);
    let said = [
        server.said(&find, &keys("okemon", "wrong"), now).await,
        server.said(&find, &keys("nobody", "secret"), now).await,
        server.said(&elsewhere, &right, now).await,
        server.said(&find, &right, behind).await,
    ];
    insta::assert_snapshot!(said.join("\n"), @"
    cannot find bucket thanos at HOST: the secret key does not belong to the access key
    cannot find bucket thanos at HOST: it answered with status 404, XAdminUserNotFound: No user exists with the provided access key ID.
    cannot find bucket thanos at HOST: the request was signed for region us-ashburn-1, which is not the bucket's
    cannot find bucket thanos at HOST: this machine's clock is 16m behind the server's
    ");
}

#[tokio::test]
async fn the_line_that_is_shown_works_when_it_is_typed() {
    let server = Server::start();
    let typed = |act| {
        let line = format!("{} --silent --fail", server.request(act));
        let keys = [("OKEMON_S3_ACCESS_KEY", "okemon"), ("OKEMON_S3_SECRET_KEY", "secret")];
        let output = Command::new("sh").args(["-c", &line]).envs(keys).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(typed(Act::Create), (true, String::new()));
    assert!(typed(Act::Find).1.contains("<Name>thanos</Name>"));
}
