//! What cannot be changed in place: the API server is asked what it would refuse, and that is made
//! anew around its pods and volumes, or the change is refused before anything is touched.

use serde_json::Value;

use super::differences::objects;
use super::{Change, Release};
use crate::fail::{Exit, Fail};
use crate::plan::step::Effect;
use crate::plan::talk::{Open, Talk};
use crate::tools::{failure, kubectl};

/// An object that the API server does not let be changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal<'a> {
    /// `StatefulSet`, without its group.
    kind: &'a str,
    name: &'a str,
    /// The API server's own words.
    why: String,
}

impl Release {
    /// Asks what the API server would make of the release, and notes what has to go first.
    pub(super) fn anew(
        &self,
        talk: &mut Talk<'_>,
        live: &[&Value],
        change: &mut Change,
    ) -> Result<(), Open> {
        let template = self.helm.template(&self.release, &self.archive);
        let wanted: Vec<Value> = objects(&talk.success(&template)?.stdout).collect();
        self.keep_claims(live, &wanted)?;
        change.warnings.extend(lost_balancers(live, &wanted));
        let cmd = self.kubectl.would_take().reading(template);
        let answer = talk.output(&cmd)?;
        let refusals = refusals(&answer.stderr);
        // Nothing goes for a change that a quota or a webhook would then not let through.
        if !refusals.is_empty() && kubectl::says_forbidden(&answer.stderr) {
            return Err(failure::explain(&cmd, &answer).into());
        }
        for refusal in &refusals {
            let there = live.iter().copied().find(|object| refusal.is_of(object));
            let wanted = wanted.iter().find(|object| refusal.is_of(object));
            let (Some(there), Some(wanted)) = (there, wanted) else {
                return Err(self.cannot_change(refusal, "it is not of this release").into());
            };
            // Who selects other pods than before adopts none.
            let orphan =
                refusal.has_pods() && there["spec"]["selector"] == wanted["spec"]["selector"];
            let after = match refusal.kind {
                _ if orphan => "its pods go on until others take their place",
                kind if HAVE_PODS.contains(&kind) => "its pods stop before others run",
                "Service" => "its address changes",
                "RoleBinding" | "ClusterRoleBinding" => "for a moment nobody has these rights",
                // What stands after these words can be secret.
                _ => {
                    let why = refusal.why.split(": Invalid value").next().unwrap_or_default();
                    return Err(self.cannot_change(refusal, why).into());
                }
            };
            let object = kubectl::name(there);
            change.warnings.push(format!("! {object} cannot be changed and is made anew: {after}"));
            let delete = self.kubectl.delete(&refusal.kind.to_lowercase(), refusal.name, orphan);
            change.before.push(Effect::Cmd(delete));
        }
        Ok(())
    }

    /// Helm removes what a release does not have any more, volumes with their data among it.
    fn keep_claims(&self, live: &[&Value], wanted: &[Value]) -> Result<(), Fail> {
        let kept = |claim: &Value| {
            let name = kubectl::name(claim);
            claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
                || wanted.iter().any(|object| kubectl::name(object) == name)
        };
        let gone = live.iter().filter(|object| object["kind"] == "PersistentVolumeClaim");
        let gone: Vec<_> = gone.filter(|claim| !kept(claim)).collect();
        let Some(claim) = gone.first() else { return Ok(()) };
        let name = kubectl::name(claim);
        let error =
            format!("changing {}: Helm would remove {name} with its data", self.release.name);
        let words = ["annotate", &name.to_lowercase(), "helm.sh/resource-policy=keep"];
        let annotate = self.kubectl.by_hand(&words);
        Err(Fail::new(Exit::Refused, error)
            .hint(format!("`{annotate}` lets it stay; then run this again")))
    }

    fn cannot_change(&self, refusal: &Refusal<'_>, why: &str) -> Fail {
        let (kind, name) = (refusal.kind, refusal.name);
        let error =
            format!("changing {}: {kind}/{name} cannot be changed: {why}", self.release.name);
        let look = self.kubectl.by_hand(&["get", &kind.to_lowercase(), name, "-o", "yaml"]);
        Fail::new(Exit::Refused, error).hint(format!(
            "`{look}` shows what is there; take the change back, or delete it when nothing in it is needed, and run this again"
        ))
    }
}

impl Refusal<'_> {
    fn has_pods(&self) -> bool {
        HAVE_PODS.contains(&self.kind)
    }

    fn is_of(&self, object: &Value) -> bool {
        kubectl::name(object) == format!("{}/{}", self.kind, self.name)
    }
}

/// The kinds whose pods outlive them when they are removed alone.
const HAVE_PODS: [&str; 3] = ["StatefulSet", "Deployment", "DaemonSet"];

/// How the API server says that something can be made, but not be changed to.
const UNCHANGEABLE: [&str; 5] = [
    "is immutable",
    "updates to statefulset spec",
    "may not change once set",
    "may not be specified when strategy `type` is 'Recreate'",
    "cannot change roleRef",
];

/// The objects that stderr of an apply says cannot be changed.
pub(super) fn refusals(stderr: &str) -> Vec<Refusal<'_>> {
    let mut lines = stderr.lines().peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        // `Error from server (Invalid): StatefulSet.apps "thanos-ruler" is invalid: spec: ...`, or
        // `The StatefulSet "thanos-ruler" is invalid: spec: ...` when it is the only one, with
        // a line for each cause when there are several.
        let Some((object, why)) = line.split_once(" is invalid: ") else { continue };
        let mut why = why.to_owned();
        while let Some(cause) = lines.next_if(|line| line.starts_with("* ")) {
            why.push_str(cause);
        }
        let Some((kind, name)) =
            object.strip_suffix('"').and_then(|object| object.rsplit_once(" \""))
        else {
            continue;
        };
        let kind = kind.rsplit(' ').next().unwrap_or(kind);
        let kind = kind.split('.').next().unwrap_or(kind);
        if UNCHANGEABLE.iter().any(|words| why.contains(words)) {
            found.push(Refusal { kind, name, why });
        }
    }
    found
}

/// The load balancers that Services have and would not have any more.
fn lost_balancers(live: &[&Value], wanted: &[Value]) -> Vec<String> {
    let balanced =
        |object: &Value| object["kind"] == "Service" && object["spec"]["type"] == "LoadBalancer";
    let kept = |service: &Value| {
        let name = kubectl::name(service);
        wanted.iter().any(|object| kubectl::name(object) == name && balanced(object))
    };
    live.iter()
        .filter(|object| balanced(object) && !kept(object))
        .map(|service| {
            let name = kubectl::name(service);
            let ingress = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
            let address = ingress.as_str().map(|ip| format!(" at {ip}")).unwrap_or_default();
            let instead = if name.contains("thanos") {
                ": the key `loadBalancer` of a cluster makes one for its StoreAPI"
            } else {
                ""
            };
            format!("! {name} loses its load balancer{address}{instead}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::Intent;
    use crate::plan::testing::intent;

    #[test]
    fn hints_name_the_place_of_what_they_are_about() {
        let Intent::Release(release) = intent("sin/thanos") else { panic!() };
        let stderr = "The Secret \"thanos\" is invalid: data: Forbidden: field is immutable";
        let unchangeable = refusals(stderr);
        let claim = json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "mine"}});
        let fails = [
            release.cannot_change(&unchangeable[0], "field is immutable"),
            release.keep_claims(&[&claim], &[]).unwrap_err(),
        ];
        insta::assert_snapshot!(fails.map(|fail| fail.hint.unwrap()).join("\n"), @"
        `kubectl --context oke-sin -n monitoring get secret thanos -o yaml` shows what is there; take the change back, or delete it when nothing in it is needed, and run this again
        `kubectl --context oke-sin -n monitoring annotate persistentvolumeclaim/mine helm.sh/resource-policy=keep` lets it stay; then run this again
        ");
    }

    #[test]
    fn what_cannot_be_changed_is_read_from_the_servers_words() {
        let stderr = "\
Warning: something
Error from server (Invalid): StatefulSet.apps \"thanos-ruler\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden
The Service \"prometheus\" is invalid: spec.clusterIPs[0]: Invalid value: [\"None\"]: may not change once set
Error from server (Invalid): Deployment.apps \"grafana\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0
The Deployment \"thanos-query\" is invalid: 
* spec.selector: Invalid value: {\"matchLabels\":{}}: field is immutable
* spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'
Error from server (NotFound): namespaces \"monitoring\" not found
";
        let refusals = refusals(stderr);
        let found: Vec<_> = refusals.iter().map(|refusal| (refusal.kind, refusal.name)).collect();
        assert_eq!(
            found,
            [
                ("StatefulSet", "thanos-ruler"),
                ("Service", "prometheus"),
                ("Deployment", "thanos-query")
            ]
        );
    }
}
