//! Checks of values that stay plain text, each with what to write instead.
//!
//! Names that have a type of their own are checked by `names`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::faults::quoted;
use super::names::{BadValue, host, refuse};

/// A kubeconfig context. One that begins with `-` would be read as a flag by the tools.
pub(super) fn context(text: &str) -> Result<String, BadValue> {
    if text.starts_with('-') {
        return refuse(text, "begins with `-`; rename the context: kubectl config rename-context");
    }
    if text.trim() != text || text.is_empty() || text.contains(unseen) {
        return refuse(
            text,
            "is not the name of a context; kubectl config get-contexts lists them",
        );
    }
    Ok(text.to_owned())
}

/// The path of a file or a directory.
pub(super) fn path(text: &str) -> Result<PathBuf, BadValue> {
    if text.starts_with('~') {
        return refuse(text, "begins with `~`, which only a shell expands; write the whole path");
    }
    if text.starts_with('-') {
        return refuse(
            text,
            format!("begins with `-`, as a flag does; write {}", quoted(&format!("./{text}"))),
        );
    }
    if let Some(character) = text.chars().find(|c| unseen(*c)) {
        return refuse(text, format!("has {character:?} in it; rename it"));
    }
    Ok(PathBuf::from(text))
}

/// The path of a file of values, as Helm is given it: a list to Helm, which commas divide and `"`
/// holds together.
pub(super) fn values_file(path: PathBuf) -> Result<PathBuf, BadValue> {
    let text = path.to_string_lossy();
    match text.chars().find(|c| matches!(c, ',' | '"' | '\n' | '\r')) {
        Some(character) => refuse(
            &text,
            format!("has {character:?} in it, which Helm takes for no part of a path; rename it"),
        ),
        None => Ok(path),
    }
}

/// What makes a line on the screen, or in a script, another one than it seems to be: line breaks,
/// what a terminal obeys, what turns the direction of writing.
fn unseen(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// The tenancy's Object Storage namespace; older ones are the tenancy's name.
pub(super) fn storage_namespace(text: &str) -> Result<String, BadValue> {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    let hyphen = text.starts_with('-') || text.ends_with('-');
    if text.is_empty() || hyphen || !text.chars().all(known) {
        return refuse(text, "is not an Object Storage namespace; `oci os ns get` says it");
    }
    Ok(text.to_owned())
}

/// A path inside a bucket.
pub(super) fn prefix(text: &str) -> Result<String, BadValue> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let part = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(known);
    if text.is_empty() || text.split('/').all(part) {
        return Ok(text.to_owned());
    }
    refuse(
        text,
        "is not a prefix; write letters, digits, `-`, `_`, `.`, with a `/` only between them",
    )
}

/// The host of an image registry, with a path perhaps, without a scheme.
pub(super) fn image_registry(text: &str) -> Result<String, BadValue> {
    if let Some((_, rest)) = text.split_once("://") {
        return refuse(text, format!("has a scheme; write {:?}", rest.trim_end_matches('/')));
    }
    let mut parts = text.split('/');
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let valid = parts.next().and_then(host).is_some()
        && parts.all(|part| !part.is_empty() && part.chars().all(known));
    if !valid {
        return refuse(
            text,
            "is not a registry; write HOST or HOST/PATH, such as sin.ocir.io/mytenancy",
        );
    }
    Ok(text.to_owned())
}

/// The name of a Secret.
pub(super) fn secret(text: &str) -> Result<String, BadValue> {
    if subdomain(text) {
        return Ok(text.to_owned());
    }
    refuse(text, "is not the name of a Secret; `kubectl get secrets` lists them")
}

fn subdomain(text: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(known)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

/// The key of a label or a taint: a name, perhaps behind a domain and `/`.
pub(super) fn label_key(text: &str) -> Result<String, BadValue> {
    let (domain, name) = text.split_once('/').unwrap_or(("a", text));
    if subdomain(domain) && label_name(name) {
        return Ok(text.to_owned());
    }
    refuse(text, "is not the key of a label; `kubectl describe nodes` shows labels and taints")
}

/// The value of a label or a taint.
pub(super) fn label_value(text: &str) -> Result<String, BadValue> {
    if text.is_empty() || label_name(text) {
        return Ok(text.to_owned());
    }
    refuse(text, "is not the value of a label; `kubectl describe nodes` shows labels and taints")
}

fn label_name(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = |c: char| c.is_ascii_alphanumeric();
    text.len() <= 63 && text.chars().all(known) && text.starts_with(end) && text.ends_with(end)
}

/// A Prometheus duration. Prometheus, its operator and Thanos agree on this form.
pub(super) fn duration(text: &str) -> Result<String, BadValue> {
    if nanoseconds(text).is_some() {
        return Ok(text.to_owned());
    }
    refuse(text, "is not a duration; write a number and one of s m h d w y, such as 72h or 365d")
}

/// How long the bucket keeps samples that coarser ones are made from: for ever, or `least` and more.
/// With less, Thanos' compactor ends at its start: they would be gone before it has made those.
pub(super) fn retention_of_source(text: &str, least: &str) -> Result<String, BadValue> {
    let text = duration(text)?;
    match nanoseconds(&text) {
        Some(length) if length > 0 && Some(length) < nanoseconds(least) => refuse(
            &text,
            format!(
                "is too short to make coarser samples from; write {least} or more, or 0d, for ever"
            ),
        ),
        _ => Ok(text),
    }
}

/// How long `1d12h` is; none when it is no duration, or longer than Go can count.
pub fn nanoseconds(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
        ("ms", 1),
    ];
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut total, mut allowed) = (text, 0_i64, &UNITS[..]);
    while !rest.is_empty() || total == 0 && allowed.len() == UNITS.len() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let unit = allowed.iter().position(|(name, _)| *name == &tail[..end])?;
        let milliseconds = number.parse::<i64>().ok()?.checked_mul(allowed[unit].1)?;
        total = total.checked_add(milliseconds.checked_mul(1_000_000)?)?;
        (rest, allowed) = (&tail[end..], &allowed[unit + 1..]);
    }
    Some(total)
}

/// The version of a chart: exactly one, since the plan names what it installs.
pub(super) fn version(text: &str) -> Result<String, BadValue> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let exact = numbers.split('.').count() == 3
        && numbers.split('.').all(|number| number.parse::<u32>().is_ok());
    if exact && text.chars().all(known) {
        return Ok(text.to_owned());
    }
    refuse(text, "is not an exact version; write all three numbers, such as 1.2.3")
}

/// The UID of an object in Kubernetes.
pub(super) fn uid(text: &str) -> Result<String, BadValue> {
    let groups = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    if groups && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_lowercase());
    }
    let command = "kubectl get namespace kube-system -o jsonpath={.metadata.uid}";
    refuse(text, format!("is not a UID; `{command}` says it"))
}

/// A web address.
pub(super) fn url(text: &str) -> Result<String, BadValue> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split('/').next());
    if authority.and_then(host).is_none() || text.contains(|c: char| !c.is_ascii_graphic()) {
        return refuse(text, "is not a URL; write https://HOST/PATH");
    }
    Ok(text.to_owned())
}

/// An IPv4 address.
pub(super) fn address(text: &str) -> Result<Ipv4Addr, BadValue> {
    text.parse().or_else(|_| refuse(text, "is not an IPv4 address; write one such as 10.1.2.3"))
}

/// A network in CIDR form, its address without bits of hosts.
pub(super) fn network(text: &str) -> Result<String, BadValue> {
    let parts = text.split_once('/').and_then(|(address, length)| {
        Some((address.parse::<IpAddr>().ok()?, length.parse::<u32>().ok()?))
    });
    let first = match parts {
        Some((IpAddr::V4(address), length @ 0..=32)) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            IpAddr::from((address.to_bits() & mask).to_be_bytes())
        }
        Some((IpAddr::V6(address), length @ 0..=128)) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            IpAddr::from((address.to_bits() & mask).to_be_bytes())
        }
        _ => return refuse(text, "is not a network; write one such as 10.0.0.0/16"),
    };
    match parts {
        Some((address, length)) if address != first => {
            refuse(text, format!("is an address inside a network; write {first}/{length}"))
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Check = fn(&str) -> Result<String, BadValue>;

    #[test]
    fn plain_values_are_accepted_as_their_readers_accept_them() {
        let table: [(Check, &[&str]); 12] = [
            (context, &["oke-sin", "arn:aws/x y", "admin@prod"]),
            (storage_namespace, &["axabcdef1234", "acme-dev"]),
            (prefix, &["", "a", "prod/sin", "a.b/c_d-e"]),
            (image_registry, &["sin.ocir.io/mytenancy", "localhost:5000", "mirror/a/b"]),
            (secret, &["ocir", "ocir-2.sin"]),
            (label_key, &["pool", "node.kubernetes.io/instance-type", "a.b_c-D"]),
            (label_value, &["", "true", "VM.Standard.E5.Flex"]),
            (duration, &["72h", "365d", "0d", "0", "1d12h", "1y2w3d4h5m6s7ms", "292y"]),
            (version, &["9.1.0", "1.2.3-rc.1+b"]),
            (uid, &["0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f"]),
            (url, &["https://grafana.example.com", "http://10.0.0.1:3000/grafana/"]),
            (network, &["10.0.0.0/16", "0.0.0.0/0", "10.1.2.3/32", "fd00::/8"]),
        ];
        for (check, texts) in table {
            for text in texts {
                assert_eq!(check(text).as_deref(), Ok(*text));
            }
        }
    }

    #[test]
    fn samples_are_kept_until_coarser_ones_are_made_from_them() {
        for text in ["40h", "1d16h", "365d", "0d", "0"] {
            assert_eq!(retention_of_source(text, "40h").as_deref(), Ok(text));
        }
        let said = |text| retention_of_source(text, "40h").unwrap_err().to_string();
        insta::assert_snapshot!(["24h", "1ms", "3 days"].map(said).join("\n"), @r#"
        "24h" is too short to make coarser samples from; write 40h or more, or 0d, for ever
        "1ms" is too short to make coarser samples from; write 40h or more, or 0d, for ever
        "3 days" is not a duration; write a number and one of s m h d w y, such as 72h or 365d
        "#);
    }

    #[test]
    fn plain_values_are_refused_with_what_to_write_instead() {
        let table: [(Check, &str, &str); 20] = [
            (context, "-A", "begins with `-`; rename the context: kubectl config rename-context"),
            (context, " ", "is not the name of a context; kubectl config get-contexts lists them"),
            (
                storage_namespace,
                "AX",
                "is not an Object Storage namespace; `oci os ns get` says it",
            ),
            (
                prefix,
                "/a",
                "is not a prefix; write letters, digits, `-`, `_`, `.`, with a `/` only between them",
            ),
            (
                prefix,
                "a/../b",
                "is not a prefix; write letters, digits, `-`, `_`, `.`, with a `/` only between them",
            ),
            (image_registry, "https://sin.ocir.io/x/", "has a scheme; write \"sin.ocir.io/x\""),
            (
                image_registry,
                "sin.ocir.io//x",
                "is not a registry; write HOST or HOST/PATH, such as sin.ocir.io/mytenancy",
            ),
            (secret, "OCIR", "is not the name of a Secret; `kubectl get secrets` lists them"),
            (secret, "-ocir", "is not the name of a Secret; `kubectl get secrets` lists them"),
            (
                label_key,
                "/pool",
                "is not the key of a label; `kubectl describe nodes` shows labels and taints",
            ),
            (
                label_key,
                "a/b/c",
                "is not the key of a label; `kubectl describe nodes` shows labels and taints",
            ),
            (
                label_value,
                "{{ x }}",
                "is not the value of a label; `kubectl describe nodes` shows labels and taints",
            ),
            (
                duration,
                "365",
                "is not a duration; write a number and one of s m h d w y, such as 72h or 365d",
            ),
            (
                duration,
                "5m1h",
                "is not a duration; write a number and one of s m h d w y, such as 72h or 365d",
            ),
            (
                duration,
                "300y",
                "is not a duration; write a number and one of s m h d w y, such as 72h or 365d",
            ),
            (version, "^9", "is not an exact version; write all three numbers, such as 1.2.3"),
            (
                uid,
                "kube-system",
                "is not a UID; `kubectl get namespace kube-system -o jsonpath={.metadata.uid}` says it",
            ),
            (url, "grafana.example.com", "is not a URL; write https://HOST/PATH"),
            (network, "10.0.0.0", "is not a network; write one such as 10.0.0.0/16"),
            (network, "10.0.3.4/16", "is an address inside a network; write 10.0.0.0/16"),
        ];
        for (check, text, why) in table {
            assert_eq!(check(text).unwrap_err().to_string(), format!("{text:?} {why}"));
        }
    }
}
