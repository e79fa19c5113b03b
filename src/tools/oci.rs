//! How to say things to `oci`, and how to read its answers.

use serde::Deserialize;

use super::cmd::{Cmd, Tool};
use crate::config::names::{BucketName, Ocid};
use crate::config::regions::Region;

/// Asks for a bucket of the tenancy.
pub fn bucket(namespace: &str, bucket: &BucketName, region: Region) -> Cmd {
    let name = ["--namespace-name", namespace, "--bucket-name", bucket.as_str()];
    cmd(["os", "bucket", "get"].iter().chain(&name).copied(), region)
}

/// Makes a bucket in a compartment.
pub fn create_bucket(
    namespace: &str,
    bucket: &BucketName,
    compartment: &Ocid,
    region: Region,
) -> Cmd {
    let name = ["--namespace-name", namespace, "--name", bucket.as_str()];
    let place = ["--compartment-id", compartment.as_str()];
    cmd(["os", "bucket", "create"].iter().chain(&name).chain(&place).copied(), region)
}

fn cmd<'a>(args: impl Iterator<Item = &'a str>, region: Region) -> Cmd {
    Cmd::new(Tool::Oci, args.chain(["--region", region.identifier]))
}

/// What the service answered when it refused.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// A word such as `BucketNotFound`.
    pub code: String,
    pub message: String,
}

/// Finds the service's refusal in what `oci` wrote to stderr; none: it failed before it was heard.
pub fn service_error(stderr: &str) -> Option<ServiceError> {
    let (_, json) = stderr.split_once("ServiceError:")?;
    serde_json::Deserializer::from_str(json).into_iter().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_refusal_among_warnings() {
        let stderr = "Warning: old key file permissions\nServiceError:\n{\n  \"code\": \"BucketNotFound\",\n  \"message\": \"no\",\n  \"status\": 404\n}\n";
        let expected =
            ServiceError { status: 404, code: "BucketNotFound".into(), message: "no".into() };
        assert_eq!(service_error(stderr), Some(expected));
        assert_eq!(service_error("RequestException: no route"), None);
    }
}
