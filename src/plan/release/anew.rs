//! What cannot be changed in place: the API server is asked what it would refuse, and that is made
//! anew around its pods and volumes, or the change is refused before anything is touched.

use serde_json::Value;

use super::differences::objects;
use super::{Change, Release};
use crate::fail::{Exit, Fail};
use crate::plan::step::Effect;
use crate::plan::talk::{Open, Talk};
use crate::tools::kubectl;

/// An object that the API server does not let be changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal<'a> {
    /// `StatefulSet`, without its group.
    kind: &'a str,
    name: &'a str,
    /// The API server's own words.
    why: &'a str,
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
        change.warnings.extend(lost_balancers(live, &wanted));
        let answer = talk.output(&self.kubectl.would_take().reading(template))?;
        for refusal in &refusals(&answer.stderr) {
            let (there, wanted) = (find(live.iter().copied(), refusal), find(&wanted, refusal));
            // Who selects other pods than before adopts none.
            let orphan = refusal.has_pods()
                && there.zip(wanted).is_some_and(|(there, wanted)| {
                    there["spec"]["selector"] == wanted["spec"]["selector"]
                });
            let object = format!("{}/{}", refusal.kind, refusal.name);
            let after = match refusal.kind {
                _ if orphan => "its pods go on until others take their place",
                kind if HAVE_PODS.contains(&kind) => "its pods stop before others run",
                "Service" => "its address changes",
                "RoleBinding" | "ClusterRoleBinding" => "for a moment nobody has these rights",
                _ => return Err(self.cannot_change(refusal).into()),
            };
            change.lines.push(format!("! {object} cannot be changed and is made anew: {after}"));
            let delete = self.kubectl.delete(&refusal.kind.to_lowercase(), refusal.name, orphan);
            change.before.push(Effect::Cmd(delete));
        }
        Ok(())
    }

    fn cannot_change(&self, refusal: &Refusal<'_>) -> Fail {
        let Refusal { kind, name, why } = refusal;
        let error =
            format!("changing {}: {kind}/{name} cannot be changed: {why}", self.release.name);
        Fail::new(Exit::Refused, error).hint(format!(
            "`helm template` and `kubectl diff` show what differs; `kubectl delete {} {name}`, when nothing in it is needed, lets it be made anew",
            kind.to_lowercase()
        ))
    }
}

impl Refusal<'_> {
    fn has_pods(&self) -> bool {
        HAVE_PODS.contains(&self.kind)
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
    stderr
        .lines()
        .filter_map(|line| {
            // `Error from server (Invalid): StatefulSet.apps "thanos-ruler" is invalid: spec: ...`,
            // or `The StatefulSet "thanos-ruler" is invalid: spec: ...` when it is the only one.
            let (object, why) = line.split_once(" is invalid: ")?;
            let (kind, name) = object.strip_suffix('"')?.rsplit_once(" \"")?;
            let kind = kind.rsplit(' ').next()?.split('.').next()?;
            let unchangeable = UNCHANGEABLE.iter().any(|words| why.contains(words));
            unchangeable.then_some(Refusal { kind, name, why })
        })
        .collect()
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
            let ingress = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
            let address = ingress.as_str().map(|ip| format!(" at {ip}")).unwrap_or_default();
            format!(
                "! {} loses its load balancer{address}: the key `loadBalancer` of a cluster makes one for its StoreAPI",
                kubectl::name(service)
            )
        })
        .collect()
}

fn find<'a>(
    objects: impl IntoIterator<Item = &'a Value>,
    refusal: &Refusal<'_>,
) -> Option<&'a Value> {
    let name = format!("{}/{}", refusal.kind, refusal.name);
    objects.into_iter().find(|object| kubectl::name(object) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_changed_is_read_from_the_servers_words() {
        let stderr = "\
Warning: something
Error from server (Invalid): StatefulSet.apps \"thanos-ruler\" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden
The Service \"prometheus\" is invalid: spec.clusterIPs[0]: Invalid value: [\"None\"]: may not change once set
Error from server (Invalid): Deployment.apps \"grafana\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0
Error from server (NotFound): namespaces \"monitoring\" not found
";
        let found: Vec<_> = refusals(stderr).iter().map(|r| (r.kind, r.name)).collect();
        assert_eq!(found, [("StatefulSet", "thanos-ruler"), ("Service", "prometheus")]);
    }
}
