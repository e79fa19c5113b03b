//! S3 requests as data: shown as the `curl` a person would type, signed, and their answers read.
//!
//! A bucket is looked for by listing one object of it: a refused `HEAD` has no body and so no
//! reason, and to list is what Thanos does first. Who sends the request is no matter here.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusty_s3::{Bucket, Method as Verb, UrlStyle, signing};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

use super::cmd::quote;
use super::http::{Answer, Method, Request};

/// How long a signature holds, and thus how wrong a clock may be; S3's own figure.
const VALID: SignedDuration = SignedDuration::from_mins(15);
/// A difference from which on a refusal is blamed on the clock.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// One request about a bucket, in path style: the only one that Object Storage knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct S3Request {
    pub act: Act,
    /// The server's URL, without a path.
    pub endpoint: String,
    /// The bucket's own region: a signature for another one is refused.
    pub region: String,
    pub bucket: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Reads whether the bucket is there.
    Find,
    /// Makes it, in the server's default place: on Object Storage the tenancy's S3 compartment.
    Create,
}

/// What signs a request. On Object Storage: a customer secret key.
#[derive(Clone, Debug)]
pub struct Keys {
    pub access: SecretString,
    pub secret: SecretString,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Present,
    Absent,
}

/// A request that was refused, or not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {attempt}: {why}")]
pub struct Refused {
    /// `find bucket NAME at HOST`.
    attempt: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("the access key is not known there")]
    UnknownKey,
    #[error("the secret key does not belong to the access key")]
    WrongSecret,
    #[error("the access key has no right to it, or it is another tenancy's")]
    Forbidden,
    #[error("the name is taken by a bucket that the access key does not see")]
    Taken,
    #[error("there is no such Object Storage namespace, or the access key is another tenancy's")]
    NoSuchNamespace,
    #[error("the request was signed for region {signed}{}", expecting(.expected.as_deref()))]
    WrongRegion { signed: String, expected: Option<String> },
    #[error("this machine's clock is {} the server's", skew(*.ahead))]
    Clock { ahead: SignedDuration },
    #[error("it answered with status {status}, {code}: {message}")]
    Other { status: u16, code: String, message: String },
    #[error("what answers with status {status} is no S3 server: {start}")]
    NoS3 { status: u16, start: String },
    #[error("the endpoint is no URL of a server")]
    Endpoint,
}

impl S3Request {
    /// The request as it is sent: in the query a signature that holds 15 minutes.
    pub fn sign(&self, keys: &Keys, now: Timestamp) -> Result<Request, Refused> {
        let endpoint = self.endpoint.parse().map_err(|_| self.refused(Why::Endpoint))?;
        let (bucket, region) = (self.bucket.clone(), self.region.clone());
        let bucket = Bucket::new(endpoint, UrlStyle::Path, bucket, region)
            .map_err(|_| self.refused(Why::Endpoint))?;
        let (method, verb) = match self.act {
            Act::Find => (Method::Get, Verb::Get),
            Act::Create => (Method::Put, Verb::Put),
        };
        let url = signing::sign(
            &now,
            verb,
            bucket.base_url().clone(),
            keys.access.expose_secret(),
            keys.secret.expose_secret(),
            None,
            &self.region,
            VALID.as_secs().unsigned_abs(),
            self.query().iter().copied(),
            std::iter::empty(),
        );
        Ok(Request { method, url: String::from(url).into(), login: None })
    }

    /// What `answer` means, which came at `now` by this machine's clock.
    pub fn read(&self, answer: &Answer, now: Timestamp) -> Result<Found, Refused> {
        let body = answer.body.trim_start();
        let code = element(body, "Code").unwrap_or_default();
        match (self.act, answer.status, code.as_str()) {
            (Act::Find, 200, _) if body.contains("<ListBucketResult") => Ok(Found::Present),
            (Act::Create, 200, _) if body.is_empty() || body.starts_with("<?xml") => {
                Ok(Found::Present)
            }
            (Act::Find, 404, "NoSuchBucket") => Ok(Found::Absent),
            (Act::Create, 409, "BucketAlreadyOwnedByYou") => Ok(Found::Present),
            _ => Err(self.refused(self.why(answer, code, now))),
        }
    }

    fn why(&self, answer: &Answer, code: String, now: Timestamp) -> Why {
        let status = answer.status;
        let message = element(&answer.body, "Message").unwrap_or_default();
        let expected = element(&answer.body, "Region");
        // With a wrong clock any signature is wrong, whatever the server makes of it.
        let ahead = ahead(answer, now).filter(|ahead| ahead.abs() > SKEW);
        if let (400..=403, Some(ahead)) = (status, ahead) {
            return Why::Clock { ahead };
        }
        match code.as_str() {
            "InvalidAccessKeyId" => Why::UnknownKey,
            "SignatureDoesNotMatch" => Why::WrongSecret,
            "BucketAlreadyExists" => Why::Taken,
            "PermanentRedirect" | "TemporaryRedirect" | "IllegalLocationConstraintException" => {
                Why::WrongRegion { signed: self.region.clone(), expected }
            }
            _ if status == 400 && message.contains("region") => {
                Why::WrongRegion { signed: self.region.clone(), expected }
            }
            _ if status == 404
                && format!("{code} {message}").to_lowercase().contains("namespace") =>
            {
                Why::NoSuchNamespace
            }
            "AccessDenied" => Why::Forbidden,
            "" => Why::NoS3 { status, start: start(&answer.body) },
            _ => Why::Other { status, code, message },
        }
    }

    /// Where it goes, without a signature.
    pub fn url(&self) -> String {
        let query: Vec<_> =
            self.query().iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}/{}{mark}{}", self.endpoint, self.bucket, query.join("&"))
    }

    fn query(&self) -> &'static [(&'static str, &'static str)] {
        match self.act {
            Act::Find => &[("list-type", "2"), ("max-keys", "1")],
            Act::Create => &[],
        }
    }

    fn refused(&self, why: Why) -> Refused {
        let Self { act, endpoint, bucket, .. } = self;
        let host = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, host)| host);
        Refused { attempt: format!("{act} bucket {bucket} at {host}"), why }
    }
}

impl Refused {
    /// What can be done about it, beginning with the command to type where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self.why {
            Why::UnknownKey => {
                "`oci iam customer-secret-key list --user-id OCID` shows a user's access keys; the namespace in the host must be the same tenancy's"
            }
            Why::WrongSecret => {
                "`oci iam customer-secret-key create --user-id OCID --display-name thanos` makes a new pair; the secret key is shown only then"
            }
            Why::Forbidden => {
                "`oci iam policy list --compartment-id OCID` shows what a group may do; it needs to read buckets and manage objects in the bucket's compartment"
            }
            Why::Taken => {
                "`oci os bucket get --bucket-name NAME` tells its compartment; allow the key's user to read it, or choose another name"
            }
            Why::NoSuchNamespace => "`oci os ns get` tells the namespace of your tenancy",
            Why::WrongRegion { .. } => {
                "`okemon plan` shows region and endpoint; both must be the bucket's"
            }
            Why::Clock { .. } => "`timedatectl set-ntp true` sets the clock and keeps it right",
            Why::NoS3 { .. } | Why::Endpoint => {
                "`curl -i ENDPOINT` shows who answers; `objectStorage.endpoint` must be an S3 server, without a path"
            }
            Why::Other { .. } => return None,
        })
    }
}

/// Shows what a person would type. The keys are named by the variables that they can come from.
impl fmt::Display for S3Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By standard input, since everybody can read arguments; printf is a part of the shell.
        f.write_str(
            r#"printf 'user = "%s:%s"' "$OKEMON_S3_ACCESS_KEY" "$OKEMON_S3_SECRET_KEY" | "#,
        )?;
        let signed = quote(&format!("aws:amz:{}:s3", self.region));
        write!(f, "curl --config - --aws-sigv4 {signed} ")?;
        f.write_str("-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' ")?;
        if self.act == Act::Create {
            f.write_str("-X PUT ")?;
        }
        f.write_str(&quote(&self.url()))
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Find => "find",
            Self::Create => "create",
        })
    }
}

/// How far this machine's clock is ahead of the server's.
fn ahead(answer: &Answer, now: Timestamp) -> Option<SignedDuration> {
    let theirs = jiff::fmt::rfc2822::DateTimeParser::new();
    Some(now.duration_since(theirs.parse_timestamp(answer.date.as_ref()?).ok()?))
}

fn skew(ahead: SignedDuration) -> String {
    let minutes = (ahead.unsigned_abs().as_secs() + 30) / 60;
    let whole = Duration::from_secs(60 * minutes);
    let side = if ahead.is_negative() { "behind" } else { "ahead of" };
    format!("{} {side}", humantime::format_duration(whole))
}

fn expecting(region: Option<&str>) -> String {
    region.map_or_else(
        || ", which is not the bucket's".to_owned(),
        |region| format!(", and the server expects {region}"),
    )
}

/// The text of the first element of that name; all that is read of an error.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain =
        [("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    Some(plain.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// The beginning of a body that nobody expected, on one line.
fn start(body: &str) -> String {
    let start: String =
        body.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
    if start.is_empty() { "(nothing)".to_owned() } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(act: Act) -> S3Request {
        let endpoint = "https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com".into();
        S3Request { act, endpoint, region: "ap-singapore-1".into(), bucket: "thanos".into() }
    }

    fn read(act: Act, status: u16, body: &str) -> Result<Found, String> {
        let now = Timestamp::from_second(1_795_462_364).unwrap();
        let date = Some("Mon, 23 Nov 2026 19:32:44 GMT".into());
        let answer = Answer { status, date, body: body.into() };
        request(act).read(&answer, now).map_err(|refused| refused.why.to_string())
    }

    fn error(code: &str, message: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        )
    }

    #[test]
    fn shows_what_a_person_would_type() {
        insta::assert_snapshot!(request(Act::Find), @r#"printf 'user = "%s:%s"' "$OKEMON_S3_ACCESS_KEY" "$OKEMON_S3_SECRET_KEY" | curl --config - --aws-sigv4 aws:amz:ap-singapore-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' 'https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com/thanos?list-type=2&max-keys=1'"#);
        insta::assert_snapshot!(request(Act::Create), @r#"printf 'user = "%s:%s"' "$OKEMON_S3_ACCESS_KEY" "$OKEMON_S3_SECRET_KEY" | curl --config - --aws-sigv4 aws:amz:ap-singapore-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com/thanos"#);
    }

    #[test]
    fn the_signature_covers_the_query_and_nothing_but_the_url_holds_it() {
        let keys = Keys { access: "AKIA".into(), secret: "secret".into() };
        let now = Timestamp::from_second(1_795_462_364).unwrap();
        let signed = request(Act::Find).sign(&keys, now).unwrap();
        insta::assert_snapshot!(signed.url.expose_secret(), @"https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com/thanos/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA%2F20261123%2Fap-singapore-1%2Fs3%2Faws4_request&X-Amz-Date=20261123T193244Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&list-type=2&max-keys=1&X-Amz-Signature=8b0daef4f28a34d3926c215532f0c78ab6f65c273e965431b277cdb355642a44");
        assert!(!format!("{signed:?}").contains("AKIA"));
    }

    #[test]
    fn a_bucket_is_there_or_it_is_not() {
        let list =
            "<?xml version=\"1.0\"?>\n<ListBucketResult><Name>thanos</Name></ListBucketResult>";
        assert_eq!(read(Act::Find, 200, list), Ok(Found::Present));
        assert_eq!(read(Act::Find, 404, &error("NoSuchBucket", "")), Ok(Found::Absent));
        assert_eq!(read(Act::Create, 200, ""), Ok(Found::Present));
        let ours = error("BucketAlreadyOwnedByYou", "");
        assert_eq!(read(Act::Create, 409, &ours), Ok(Found::Present));
    }

    #[test]
    fn every_refusal_has_its_own_words() {
        let said = |act, status, body: &str| read(act, status, body).unwrap_err();
        let words = [
            said(Act::Find, 403, &error("InvalidAccessKeyId", "")),
            said(Act::Find, 403, &error("SignatureDoesNotMatch", "")),
            said(Act::Find, 403, &error("AccessDenied", "")),
            said(Act::Create, 409, &error("BucketAlreadyExists", "")),
            said(Act::Find, 404, &error("NamespaceNotFound", "")),
            said(
                Act::Find,
                400,
                &error(
                    "AuthorizationHeaderMalformed",
                    "Authentication region name &quot;x&quot; is incorrect",
                ),
            ),
            said(
                Act::Find,
                400,
                "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message><Region>us-ashburn-1</Region></Error>",
            ),
            said(Act::Find, 301, &error("PermanentRedirect", "")),
            said(Act::Find, 503, &error("SlowDown", "Please reduce your request rate.")),
            said(Act::Find, 200, "<!doctype html>\n<title>Sign in to the guest network</title>"),
            said(Act::Create, 200, "<html>"),
            said(Act::Find, 502, ""),
        ];
        insta::assert_snapshot!(words.join("\n"), @"
        the access key is not known there
        the secret key does not belong to the access key
        the access key has no right to it, or it is another tenancy's
        the name is taken by a bucket that the access key does not see
        there is no such Object Storage namespace, or the access key is another tenancy's
        the request was signed for region ap-singapore-1, which is not the bucket's
        the request was signed for region ap-singapore-1, and the server expects us-ashburn-1
        the request was signed for region ap-singapore-1, which is not the bucket's
        it answered with status 503, SlowDown: Please reduce your request rate.
        what answers with status 200 is no S3 server: <!doctype html> <title>Sign in to the guest network</title>
        what answers with status 200 is no S3 server: <html>
        what answers with status 502 is no S3 server: (nothing)
        ");
    }

    #[test]
    fn a_wrong_clock_is_blamed_before_the_signature_that_it_spoils() {
        let refused = |seconds: i64| {
            let now = Timestamp::from_second(1_795_462_364 + seconds).unwrap();
            let date = Some("Mon, 23 Nov 2026 19:32:44 GMT".into());
            let answer =
                Answer { status: 403, date, body: error("AccessDenied", "Request has expired") };
            request(Act::Find).read(&answer, now).unwrap_err().to_string()
        };
        insta::assert_snapshot!(
            [refused(-14 * 60 - 20), refused(7260), refused(60)].join("\n"), @"
        cannot find bucket thanos at axab.compat.objectstorage.ap-singapore-1.oraclecloud.com: this machine's clock is 14m behind the server's
        cannot find bucket thanos at axab.compat.objectstorage.ap-singapore-1.oraclecloud.com: this machine's clock is 2h 1m ahead of the server's
        cannot find bucket thanos at axab.compat.objectstorage.ap-singapore-1.oraclecloud.com: the access key has no right to it, or it is another tenancy's
        ");
    }
}
