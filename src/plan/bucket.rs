//! The bucket that blocks go to: it exists, and the keys open it.

use super::deed::{Deed, Verb};
use super::step::{Action, Answer, Call, Decision, Effect};
use crate::config::Cluster;
use crate::tools::cmd::{Cmd, Tool};
use crate::tools::s3::{Act, Found, S3Request};
use crate::tools::{failure, oci};

/// A bucket and the way to it.
#[derive(Clone, Debug)]
pub struct Bucket {
    name: String,
    /// The region's identifier.
    region: String,
    way: Way,
}

/// How the bucket is looked for and made.
#[derive(Clone, Debug)]
enum Way {
    /// By the `oci` program, which can say in which compartment a bucket is made.
    Oci { look: Cmd, create: Cmd },
    /// By the S3 interface. `lands` tells where OCI puts a bucket that is made this way.
    S3 { look: S3Request, create: S3Request, lands: Option<&'static str> },
}

impl Bucket {
    /// `oci` tells whether that program is there.
    pub fn new(cluster: &Cluster, oci: bool) -> Self {
        let storage = &cluster.object_storage;
        let way = match (&storage.namespace, &storage.compartment, &storage.endpoint) {
            (Some(namespace), Some(compartment), None) if oci => Way::Oci {
                look: oci::bucket(namespace, &storage.bucket, cluster.region),
                create: oci::create_bucket(namespace, &storage.bucket, compartment, cluster.region),
            },
            (_, _, endpoint) => Way::S3 {
                look: request(cluster, Act::Find),
                create: request(cluster, Act::Create),
                lands: endpoint.is_none().then_some(
                    "a bucket made by the S3 interface lands in the tenancy's S3 compartment, the root one unless it was changed (`oci os ns get-metadata` shows it); with the program oci and `compartment` it lands there",
                ),
            },
        };
        Self { name: storage.bucket.to_string(), region: cluster.region.identifier.to_owned(), way }
    }

    /// The program that it needs; none: it speaks to the bucket itself.
    pub fn tool(&self) -> Option<Tool> {
        matches!(self.way, Way::Oci { .. }).then_some(Tool::Oci)
    }

    pub fn deed(&self) -> Deed {
        Deed::new(Verb::Create, format!("the bucket {} in {}", self.name, self.region))
    }

    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match &self.way {
            _ if !so_far.is_empty() => None,
            Way::Oci { look, .. } => Some(Call::Cmd(look.clone())),
            Way::S3 { look, .. } => Some(Call::S3(look.clone())),
        }
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        match (&self.way, answers.first()) {
            (Way::Oci { look, .. }, Some(Answer::Output(output))) if output.code != Some(0) => {
                let absent = oci::service_error(&output.stderr)
                    .is_some_and(|error| error.code == "BucketNotFound");
                if absent {
                    self.create()
                } else {
                    Decision::Refuse(failure::explain(look, output))
                }
            }
            (Way::S3 { look, .. }, Some(Answer::Http { answer, at })) => {
                match look.read(answer, *at) {
                    Ok(Found::Present) => Decision::unchanged(),
                    Ok(Found::Absent) => self.create(),
                    Err(refused) => Decision::Refuse(failure::refused(&refused)),
                }
            }
            (_, Some(_)) => Decision::unchanged(),
            (_, None) => self.create(),
        }
    }

    fn create(&self) -> Decision {
        let (effect, lands) = match &self.way {
            Way::Oci { create, .. } => (Effect::Cmd(create.clone()), None),
            Way::S3 { create, lands, .. } => (Effect::S3(create.clone()), *lands),
        };
        Decision::Do {
            action: Action::Add,
            deed: self.deed(),
            details: lands.map(str::to_owned).into_iter().collect(),
            effects: vec![effect],
        }
    }
}

fn request(cluster: &Cluster, act: Act) -> S3Request {
    S3Request {
        act,
        endpoint: cluster.s3_url(),
        region: cluster.region.identifier.to_owned(),
        bucket: cluster.object_storage.bucket.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::config::names::Ocid;
    use crate::content::fixtures;
    use crate::plan::testing::{failed, said, told};
    use crate::tools::http;

    fn with_oci() -> Bucket {
        let mut cluster = fixtures::cluster();
        cluster.object_storage.compartment = Some(Ocid::new_unchecked("ocid1.compartment.oc1..c"));
        Bucket::new(&cluster, true)
    }

    fn answered(status: u16, body: &str) -> Answer {
        let answer = http::Answer { status, date: None, body: body.to_owned() };
        Answer::Http { answer, at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn with_oci_and_a_compartment_the_bucket_is_made_there() {
        let absent = failed(
            "ServiceError:\n{\"status\": 404, \"code\": \"BucketNotFound\", \"message\": \"no\"}",
        );
        insta::assert_snapshot!(told(&with_oci().decide(&[absent])), @"
        Add: create the bucket thanos in ap-singapore-1
          $ oci os bucket create --namespace-name axab --name thanos --compartment-id ocid1.compartment.oc1..c --region ap-singapore-1
        ");
        assert_eq!(told(&with_oci().decide(&[said("{\"data\": {}}")])), "unchanged");
    }

    #[test]
    fn what_oci_cannot_do_is_told() {
        let told = told(&with_oci().decide(&[failed("RequestException: no route")]));
        assert!(told.starts_with("refused (Failed): running `oci os bucket get"), "{told}");
    }

    #[test]
    fn without_oci_the_s3_interface_makes_it_and_says_where_it_lands() {
        let bucket = Bucket::new(&fixtures::cluster(), false);
        let absent = answered(404, "<Error><Code>NoSuchBucket</Code></Error>");
        insta::assert_snapshot!(told(&bucket.decide(&[absent])), @r#"
        Add: create the bucket thanos in ap-singapore-1
          a bucket made by the S3 interface lands in the tenancy's S3 compartment, the root one unless it was changed (`oci os ns get-metadata` shows it); with the program oci and `compartment` it lands there
          $ curl --aws-sigv4 aws:amz:ap-singapore-1:s3 --user "$OKEMON_S3_ACCESS_KEY:$OKEMON_S3_SECRET_KEY" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com/thanos
        "#);
        let there = answered(200, "<?xml version=\"1.0\"?><ListBucketResult></ListBucketResult>");
        assert_eq!(told(&bucket.decide(&[there])), "unchanged");
        let forbidden = answered(403, "<Error><Code>AccessDenied</Code></Error>");
        assert!(told(&bucket.decide(&[forbidden])).starts_with("refused (Denied)"));
    }
}
