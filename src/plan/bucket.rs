//! The bucket that blocks go to: it exists, and the keys open it.

use jiff::Timestamp;

use super::deed::{Deed, Verb};
use super::step::{Action, Answer, Call, Decision, Effect};
use crate::config::Cluster;
use crate::fail::{Exit, Fail};
use crate::tools::cmd::{Cmd, Tool};
use crate::tools::s3::{Act, Found, S3Request};
use crate::tools::{failure, http, oci};

/// A bucket and the way to it.
#[derive(Clone, Debug)]
pub struct Bucket {
    name: String,
    /// The region's identifier.
    region: String,
    /// Whether the keys open it.
    open: S3Request,
    way: Way,
}

/// How the bucket is looked for and made.
#[derive(Clone, Debug)]
enum Way {
    /// By the `oci` program, which can say in which compartment a bucket is made.
    Oci { look: Cmd, create: Cmd },
    /// By the S3 interface. `lands` tells where OCI puts a bucket that is made this way.
    S3 { create: S3Request, lands: Option<&'static str> },
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
                create: request(cluster, Act::Create),
                lands: endpoint.is_none().then_some(
                    "a bucket made by the S3 interface lands in the tenancy's S3 compartment, the root one unless it was changed (`oci os ns get-metadata` shows it); with the program oci and `compartment` it lands there",
                ),
            },
        };
        Self {
            name: storage.bucket.to_string(),
            region: cluster.region.identifier.to_owned(),
            open: request(cluster, Act::Find),
            way,
        }
    }

    /// The program that it needs; none: it speaks to the bucket alone.
    pub fn tool(&self) -> Option<Tool> {
        matches!(self.way, Way::Oci { .. }).then_some(Tool::Oci)
    }

    pub fn deed(&self) -> Deed {
        Deed::new(Verb::Create, format!("the bucket {} in {}", self.name, self.region))
    }

    /// Whether it is there, then whether the keys open it: one question where S3 answers both.
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        match (&self.way, so_far) {
            (Way::Oci { look, .. }, []) => Some(Call::Cmd(look.clone())),
            (Way::Oci { .. }, [Answer::Output(output)]) if output.code == Some(0) => {
                Some(Call::S3(self.open.clone()))
            }
            (Way::S3 { .. }, []) => Some(Call::S3(self.open.clone())),
            _ => None,
        }
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        match (&self.way, answers) {
            (Way::Oci { look, .. }, [Answer::Output(output)]) if output.code != Some(0) => {
                let absent = oci::service_error(&output.stderr)
                    .is_some_and(|error| error.code == "BucketNotFound");
                if absent {
                    self.create()
                } else {
                    Decision::Refuse(failure::explain(look, output))
                }
            }
            (way, [.., Answer::Http { answer, at }]) => match (self.open.read(answer, *at), way) {
                (Ok(Found::Present), _) => Decision::unchanged(),
                (Ok(Found::Absent), Way::S3 { .. }) => self.create(),
                (Ok(Found::Absent), Way::Oci { .. }) => Decision::Refuse(elsewhere(&self.name)),
                (Err(refused), _) => Decision::Refuse(failure::refused(&refused)),
            },
            (_, []) => self.create(),
            _ => Decision::unchanged(),
        }
    }

    fn create(&self) -> Decision {
        let (effects, lands) = match &self.way {
            // And the keys open it, before they are handed to anybody.
            Way::Oci { create, .. } => {
                (vec![Effect::Cmd(create.clone()), Effect::S3(self.open.clone())], None)
            }
            Way::S3 { create, lands } => (vec![Effect::S3(create.clone())], *lands),
        };
        Decision::Do {
            action: Action::Add,
            deed: self.deed(),
            details: lands.map(str::to_owned).into_iter().collect(),
            effects,
        }
    }
}

/// What the answer to one of its effects means: it is made, the keys open it, or why not.
///
/// # Errors
/// When it is not.
pub fn done(request: &S3Request, answer: &http::Answer, at: Timestamp) -> Result<(), Fail> {
    match request.read(answer, at) {
        Ok(Found::Present) => Ok(()),
        // `oci` has just made it.
        Ok(Found::Absent) => Err(elsewhere(&request.bucket)),
        Err(refused) => Err(failure::refused(&refused)),
    }
}

/// `oci` sees it, and the keys do not.
fn elsewhere(name: &str) -> Fail {
    let error = format!("looking for the bucket {name}: oci sees it, the keys do not");
    Fail::new(Exit::Denied, error).hint(
        "the keys may be another tenancy's: `oci iam customer-secret-key list --user-id OCID` shows those of a user",
    )
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
    use super::*;
    use crate::config::names::Ocid;
    use crate::content::fixtures;
    use crate::plan::testing::{failed, said, told};

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
        insta::assert_snapshot!(told(&with_oci().decide(&[absent])), @r#"
        Add: create the bucket thanos in ap-singapore-1
          $ oci os bucket create --namespace-name axab --name thanos --compartment-id ocid1.compartment.oc1..c --region ap-singapore-1
          $ printf 'user = "%s:%s"' "$OKEMON_S3_ACCESS_KEY" "$OKEMON_S3_SECRET_KEY" | curl --config - --aws-sigv4 aws:amz:ap-singapore-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' 'https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com/thanos?list-type=2&max-keys=1'
        "#);
    }

    #[test]
    fn with_oci_the_keys_are_tried_too() {
        let (bucket, there) = (with_oci(), said("{\"data\": {}}"));
        let asked = bucket.ask(std::slice::from_ref(&there));
        assert!(matches!(asked, Some(Call::S3(_))), "{asked:?}");
        let decided = |answer| {
            let answers = [there.clone(), answer];
            assert!(bucket.ask(&answers).is_none());
            told(&bucket.decide(&answers))
        };
        let open = "<?xml version=\"1.0\"?><ListBucketResult></ListBucketResult>";
        assert_eq!(decided(answered(200, open)), "unchanged");
        let forbidden = answered(403, "<Error><Code>AccessDenied</Code></Error>");
        assert!(decided(forbidden).starts_with("refused (Denied)"));
        assert_eq!(
            decided(answered(404, "<Error><Code>NoSuchBucket</Code></Error>")),
            "refused (Denied): looking for the bucket thanos: oci sees it, the keys do not"
        );
    }

    #[test]
    fn a_bucket_that_oci_made_and_the_keys_do_not_open_is_a_failure() {
        let Decision::Do { effects, .. } = with_oci().create() else { panic!() };
        let Some(Effect::S3(open)) = effects.last() else { panic!("{effects:?}") };
        let told = |status, body: &str| {
            let answer = http::Answer { status, date: None, body: body.to_owned() };
            let done = done(open, &answer, Timestamp::UNIX_EPOCH);
            done.map_err(|fail| format!("{:?}: {fail}", fail.exit))
        };
        assert_eq!(told(200, "<ListBucketResult></ListBucketResult>"), Ok(()));
        insta::assert_snapshot!(told(404, "<Error><Code>NoSuchBucket</Code></Error>").unwrap_err(), @"Denied: looking for the bucket thanos: oci sees it, the keys do not");
        insta::assert_snapshot!(told(403, "<Error><Code>AccessDenied</Code></Error>").unwrap_err(), @"Denied: cannot find bucket thanos at axab.compat.objectstorage.ap-singapore-1.oraclecloud.com: the access key has no right to it, or it is another tenancy's");
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
          $ printf 'user = "%s:%s"' "$OKEMON_S3_ACCESS_KEY" "$OKEMON_S3_SECRET_KEY" | curl --config - --aws-sigv4 aws:amz:ap-singapore-1:s3 -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -X PUT https://axab.compat.objectstorage.ap-singapore-1.oraclecloud.com/thanos
        "#);
        let there = answered(200, "<?xml version=\"1.0\"?><ListBucketResult></ListBucketResult>");
        assert_eq!(told(&bucket.decide(&[there])), "unchanged");
        let forbidden = answered(403, "<Error><Code>AccessDenied</Code></Error>");
        assert!(told(&bucket.decide(&[forbidden])).starts_with("refused (Denied)"));
    }
}
