//! The one door to HTTP servers: deadline, limit of the body, no redirect. What a call is for, and
//! what its answer means, is decided elsewhere.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::ExposeSecret as _;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};

use crate::tools::http::{Answer, Login, Method, Request};

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(30);
/// More than the largest answer of a large Prometheus.
const BODY_LIMIT: u64 = 64 << 20;

/// A call that got no answer. Never shows the URL, which can hold a signature.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach {host}: {why}")]
pub struct Unreachable {
    /// The server, with its port if that is unusual.
    pub host: String,
    pub why: Why,
}

#[derive(Debug, thiserror::Error)]
pub enum Why {
    #[error("its name is not known to DNS")]
    UnknownName,
    #[error("the connection was refused")]
    Refused,
    #[error("it gave no answer within {}", humantime::format_duration(*.0))]
    TimedOut(Duration),
    #[error("TLS failed: {0}")]
    Tls(String),
    #[error("the proxy refused: {0}")]
    Proxy(String),
    #[error("its answer is longer than {} MiB", BODY_LIMIT >> 20)]
    TooLong,
    #[error("only https is spoken to other machines")]
    Plain,
    #[error("the URL makes no sense")]
    Url,
    /// The connection was there, and ended too early.
    #[error("{0}")]
    Broken(String),
    #[error("{0}")]
    Other(String),
}

impl Unreachable {
    /// Whether another try may reach it.
    pub fn may_pass(&self) -> bool {
        matches!(self.why, Why::TimedOut(_) | Why::Broken(_))
    }
}

/// Sends `request` and reads the answer, whatever its status is.
pub async fn send(request: Request) -> Result<Answer, Unreachable> {
    let uri = request.url.expose_secret().parse::<Uri>().ok();
    let authority = uri.as_ref().and_then(Uri::authority).cloned();
    let host = authority.map(|authority| authority.to_string()).unwrap_or_default();
    let sent = tokio::task::spawn_blocking(move || {
        let uri = uri.ok_or(Why::Url)?;
        exchange(request.method, &uri, request.login.as_ref())
    });
    match sent.await {
        Ok(answer) => answer.map_err(|why| Unreachable { host, why }),
        Err(_) => Err(Unreachable { host, why: Why::Other("the call was given up".into()) }),
    }
}

/// One call and its answer. Blocks.
fn exchange(method: Method, uri: &Uri, login: Option<&Login>) -> Result<Answer, Why> {
    let agent = agent(is_loopback(uri));
    let mut response = match method {
        Method::Get => match login {
            Some(login) => agent.get(uri).header("authorization", basic(login)).call(),
            None => agent.get(uri).call(),
        },
        Method::Put => agent.put(uri).send_empty(),
    }
    .map_err(why)?;
    let date = response.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.map(ToOwned::to_owned);
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(BODY_LIMIT).lossy_utf8(true);
    Ok(Answer { status, date, body: body.read_to_string().map_err(why)? })
}

fn basic(Login { user, password }: &Login) -> String {
    let both = format!("{user}:{}", password.expose_secret());
    format!("Basic {}", BASE64_STANDARD.encode(both))
}

/// Only this machine is spoken to without TLS, and never through a proxy.
fn agent(loopback: bool) -> ureq::Agent {
    // As helm, kubectl and oci do, whose companies' own authorities are known to the system alone.
    let as_trusted_by_system = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = ureq::Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(WHOLE))
        .max_redirects(0)
        .http_status_as_error(false)
        .https_only(!loopback)
        .tls_config(as_trusted_by_system)
        .user_agent(concat!("okemon/", env!("CARGO_PKG_VERSION")));
    if loopback { config.proxy(None) } else { config }.build().new_agent()
}

fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn why(error: ureq::Error) -> Why {
    match error {
        ureq::Error::HostNotFound => Why::UnknownName,
        // std has no kind for it.
        ureq::Error::Io(error) if error.to_string().starts_with("failed to lookup") => {
            Why::UnknownName
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => Why::Refused,
        ureq::Error::Timeout(ureq::Timeout::Connect) => Why::TimedOut(CONNECT),
        ureq::Error::Timeout(_) => Why::TimedOut(WHOLE),
        ureq::Error::Tls(error) => Why::Tls(error.to_owned()),
        ureq::Error::Rustls(error) => Why::Tls(error.to_string()),
        // What rustls finds wrong while it shakes hands.
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            Why::Tls(error.to_string())
        }
        ureq::Error::ConnectProxyFailed(error) => Why::Proxy(error),
        ureq::Error::BodyExceedsLimit(_) => Why::TooLong,
        ureq::Error::RequireHttpsOnly(_) => Why::Plain,
        ureq::Error::Io(error) => Why::Broken(error.to_string()),
        // Some of the others show the URL.
        ureq::Error::Protocol(_) | ureq::Error::Http(_) => Why::Other("it speaks no HTTP".into()),
        _ => Why::Other("the connection failed".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    async fn get(url: &str) -> Result<Answer, String> {
        let request = Request { method: Method::Get, url: url.to_owned().into(), login: None };
        send(request).await.map_err(|error| error.to_string())
    }

    /// Answers one call with `answer`, at the address that is returned.
    fn serve(answer: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut caller, _) = listener.accept().unwrap();
            let _ = caller.read(&mut [0; 4096]).unwrap();
            // A caller that has read enough hangs up.
            let _ = caller.write_all(answer.as_bytes());
        });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn any_status_is_an_answer_and_no_redirect_is_followed() {
        let url = serve(
            "HTTP/1.1 307 Elsewhere\r\nDate: Mon, 23 Nov 2026 19:32:44 GMT\r\n\
             Location: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nno"
                .into(),
        );
        let date = Some("Mon, 23 Nov 2026 19:32:44 GMT".into());
        assert_eq!(get(&url).await, Ok(Answer { status: 307, date, body: "no".into() }));
    }

    #[test]
    fn a_login_is_sent_as_http_has_it() {
        let login = Login { user: "admin".into(), password: "s3cret:ü".to_owned().into() };
        assert_eq!(basic(&login), "Basic YWRtaW46czNjcmV0OsO8");
        assert!(!format!("{login:?}").contains("s3cret"));
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_without_the_url() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = get(&format!("http://{free}/thanos?X-Amz-Signature=0a")).await.unwrap_err();
        assert_eq!(refused, format!("cannot reach {free}: the connection was refused"));

        let long = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(65 << 20));
        let long = get(&serve(long)).await.unwrap_err();
        assert_eq!(long.split_once(": ").unwrap().1, "its answer is longer than 64 MiB");

        let nonsense = get(&serve("220 smtp.example.com ESMTP\r\n\r\n".into())).await.unwrap_err();
        assert_eq!(nonsense.split_once(": ").unwrap().1, "it speaks no HTTP");

        insta::assert_snapshot!(get("http://s3.example.com/thanos").await.unwrap_err(), @"cannot reach s3.example.com: only https is spoken to other machines");
        insta::assert_snapshot!(get("https://s3.invalid/thanos").await.unwrap_err(), @"cannot reach s3.invalid: its name is not known to DNS");
        let plain = serve("HTTP/1.1 400 Bad Request\r\n\r\n".into()).replace("http:", "https:");
        insta::assert_snapshot!(get(&plain).await.unwrap_err().split_once(": ").unwrap().1, @"TLS failed: received corrupt message of type InvalidContentType");
    }
}
