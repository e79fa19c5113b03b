//! Names that other systems refuse when misspelt, refused here first: each a type of its own.
//!
//! Values that stay plain text are checked by `checks`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Serialize;

use super::faults::quoted;
use super::regions::Region;

/// Why a value is refused, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadValue(pub(super) String);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Takes any text for a name, so that a test can try what no file may say.
            #[cfg(test)]
            pub(crate) fn new_unchecked(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadValue;

            fn from_str(text: &str) -> Result<Self, BadValue> {
                $check(text)?;
                Ok(Self(text.to_owned()))
            }
        }
    };
}

name!(
    /// The name of a cluster: the external label `cluster`. A DNS label, so that it can also be
    /// part of Kubernetes names.
    ClusterName,
    dns_label
);
name!(
    /// A Kubernetes namespace: a DNS label.
    Namespace,
    dns_label
);
name!(
    /// An Object Storage bucket: what OCI and S3 both accept.
    BucketName,
    bucket
);
name!(
    /// An Oracle Cloud identifier: `ocid1.KIND.REALM.[REGION].UNIQUE`.
    Ocid,
    ocid
);
name!(
    /// The URL of an S3 server, without a path; plain http only on loopback.
    Endpoint,
    endpoint
);

impl From<Region> for ClusterName {
    fn from(region: Region) -> Self {
        Self(region.key.to_owned())
    }
}

impl Default for Namespace {
    fn default() -> Self {
        Self("monitoring".to_owned())
    }
}

impl Ocid {
    /// What it identifies: `subnet`, `compartment`, ...
    pub fn kind(&self) -> &str {
        self.0.split('.').nth(1).unwrap_or_default()
    }

    /// Parses an OCID that must be of one of `kinds`; the first is the one that a message names.
    pub fn of_kind(text: &str, kinds: &[&str]) -> Result<Self, BadValue> {
        let ocid: Self = text.parse()?;
        if kinds.contains(&ocid.kind()) {
            return Ok(ocid);
        }
        let expected = kinds.first().copied().unwrap_or_default();
        Err(BadValue(format!(
            "expects an ocid1.{expected}..., this is an ocid1.{}...",
            ocid.kind()
        )))
    }
}

pub(super) fn refuse<T>(text: &str, why: impl fmt::Display) -> Result<T, BadValue> {
    Err(BadValue(format!("{} {why}", quoted(text))))
}

/// Refuses characters other than lowercase letters, digits and `more`, and what does not begin and
/// end with a letter or digit.
fn lowercase(text: &str, more: &[char]) -> Result<(), BadValue> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if let Some(bad) = text.chars().find(|c| !plain(*c) && !more.contains(c)) {
        let more: Vec<_> = more.iter().map(|c| format!("`{c}`")).collect();
        return refuse(text, format!("has {bad:?} in it; use a-z, 0-9 and {}", more.join(", ")));
    }
    if !text.starts_with(plain) || !text.ends_with(plain) {
        return refuse(text, "must begin and end with a letter or a digit");
    }
    Ok(())
}

fn dns_label(text: &str) -> Result<(), BadValue> {
    lowercase(text, &['-'])?;
    if text.len() > 63 {
        return refuse(text, format!("has {} characters; use 63 at most", text.len()));
    }
    Ok(())
}

fn bucket(text: &str) -> Result<(), BadValue> {
    lowercase(text, &['-', '.'])?;
    if !(3..=63).contains(&text.len()) {
        return refuse(text, format!("has {} characters; use 3 to 63", text.len()));
    }
    if ["..", ".-", "-."].iter().any(|pair| text.contains(pair)) {
        return refuse(text, "has a `.` beside a `.` or `-`; S3 refuses that");
    }
    if text.parse::<IpAddr>().is_ok() {
        return refuse(text, "looks like an IP address; S3 refuses that");
    }
    Ok(())
}

fn ocid(text: &str) -> Result<(), BadValue> {
    let parts: Vec<_> = text.split('.').collect();
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    let valid = match parts.as_slice() {
        ["ocid1", kind, realm, .., unique] if parts.len() >= 5 => {
            word(kind) && realm.starts_with("oc") && word(realm) && word(unique)
        }
        _ => false,
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if valid && text.chars().all(known) {
        return Ok(());
    }
    refuse(text, "is not an OCID; it looks like ocid1.KIND.oc1.REGION.UNIQUE")
}

fn endpoint(text: &str) -> Result<(), BadValue> {
    if text.contains('@') {
        // Not shown: what stands before the @ may be a password.
        let why = "has a user name in it; the keys come from OKEMON_S3_ACCESS_KEY and _SECRET_KEY";
        return Err(BadValue(why.to_owned()));
    }
    let Some((scheme @ ("http" | "https"), authority)) = text.split_once("://") else {
        return refuse(text, "is not a URL; write https://HOST or https://HOST:PORT");
    };
    if let Some(end) = authority.find(['/', '?', '#']) {
        let url = &text[..text.len() - authority.len() + end];
        return refuse(text, format!("has a path; write {}", quoted(url)));
    }
    let Some(host) = host(authority) else {
        return refuse(
            text,
            format!("has no valid host; write {scheme}://HOST or {scheme}://HOST:PORT"),
        );
    };
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let loopback = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    if scheme == "http" && !loopback {
        return refuse(
            text,
            format!("is plain http, allowed on loopback only; write https://{authority}"),
        );
    }
    Ok(())
}

/// The host of `HOST` or `HOST:PORT`.
pub(super) fn host(authority: &str) -> Option<&str> {
    let after_address = authority.find(']').map_or(0, |end| end + 1);
    let host = match authority[after_address..].rsplit_once(':') {
        Some((_, port)) => {
            port.parse::<u16>().ok().filter(|port| *port > 0)?;
            &authority[..authority.len() - port.len() - 1]
        }
        None => authority,
    };
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']')?;
        return address.parse::<std::net::Ipv6Addr>().is_ok().then_some(host);
    }
    let label = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        !part.is_empty()
            && part.chars().all(known)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    host.split('.').all(label).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: FromStr<Err = BadValue>>(text: &str) -> String {
        text.parse::<T>().err().map_or_else(|| "accepted".to_owned(), |bad| bad.to_string())
    }

    #[test]
    fn a_cluster_is_named_by_a_dns_label() {
        let long = "a".repeat(64);
        let table = [
            ("sin", "accepted"),
            ("9", "accepted"),
            ("", "\"\" must begin and end with a letter or a digit"),
            ("Sin", "\"Sin\" has 'S' in it; use a-z, 0-9 and `-`"),
            ("sin.prod", "\"sin.prod\" has '.' in it; use a-z, 0-9 and `-`"),
            ("-sin", "\"-sin\" must begin and end with a letter or a digit"),
        ];
        for (text, expected) in table {
            assert_eq!(message::<ClusterName>(text), expected);
            assert_eq!(message::<Namespace>(text), expected);
        }
        assert!(message::<Namespace>(&long).ends_with("has 64 characters; use 63 at most"));
    }

    #[test]
    fn a_bucket_is_named_as_oci_and_s3_both_accept() {
        let table = [
            ("thanos", "accepted"),
            ("my.thanos-1", "accepted"),
            ("Thanos", "\"Thanos\" has 'T' in it; use a-z, 0-9 and `-`, `.`"),
            ("th", "\"th\" has 2 characters; use 3 to 63"),
            ("a..b", "\"a..b\" has a `.` beside a `.` or `-`; S3 refuses that"),
            ("10.0.0.1", "\"10.0.0.1\" looks like an IP address; S3 refuses that"),
            ("a\n", "\"a\\n\" has '\\n' in it; use a-z, 0-9 and `-`, `.`"),
        ];
        for (text, expected) in table {
            assert_eq!(message::<BucketName>(text), expected);
        }
    }

    #[test]
    fn an_ocid_knows_its_kind() {
        let subnet = "ocid1.subnet.oc1.ap-sydney-1.cccc";
        assert_eq!(subnet.parse::<Ocid>().unwrap().kind(), "subnet");
        assert_eq!("ocid1.compartment.oc1..aaaa".parse::<Ocid>().unwrap().kind(), "compartment");
        assert_eq!(
            Ocid::of_kind("ocid1.vcn.oc1.ap-sydney-1.c", &["subnet"]).unwrap_err().to_string(),
            "expects an ocid1.subnet..., this is an ocid1.vcn..."
        );
        for bad in ["", "ocid1", "ocid1.subnet.oc1.c", "ocid1.subnet.oc1..", "ocid1.sub net.oc1..a"]
        {
            assert!(message::<Ocid>(bad).contains("is not an OCID"), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_is_a_url_without_a_path() {
        let table = [
            ("https://s3.example.com", "accepted"),
            ("http://127.0.0.1:7070", "accepted"),
            ("http://[::1]:7070", "accepted"),
            ("http://localhost", "accepted"),
            (
                "http://s3.example.com:80",
                "\"http://s3.example.com:80\" is plain http, allowed on loopback only; \
                 write https://s3.example.com:80",
            ),
            (
                "https://s3.example.com/thanos",
                "\"https://s3.example.com/thanos\" has a path; write \"https://s3.example.com\"",
            ),
            (
                "s3.example.com",
                "\"s3.example.com\" is not a URL; write https://HOST or https://HOST:PORT",
            ),
            (
                "https://:99999",
                "\"https://:99999\" has no valid host; write https://HOST or https://HOST:PORT",
            ),
            (
                "https://me:secret@s3.example.com",
                "has a user name in it; the keys come from OKEMON_S3_ACCESS_KEY and _SECRET_KEY",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(message::<Endpoint>(text), expected);
        }
        let local: Endpoint = "http://127.0.0.1:7070".parse().unwrap();
        assert_eq!(local.as_str(), "http://127.0.0.1:7070");
    }
}
