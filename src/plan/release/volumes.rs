//! The volumes of a release: they do not follow its values, so they are enlarged beside it, and
//! where there was none, what is lost is said.

use serde_json::Value;

use super::differences::{owned, text};
use super::{Change, Release};
use crate::content::charts::Volume;
use crate::content::objects;
use crate::fail::{Exit, Fail};
use crate::plan::step::Effect;
use crate::plan::talk::{Open, Talk};
use crate::plan::values;
use crate::tools::cmd::Cmd;
use crate::tools::quantity::bytes;
use crate::tools::{diff, kubectl};

/// What is told of a claim that is waited for, after its name.
pub(super) const LEAVING: &str = " is being deleted, and is waited for until it is gone";

/// A claim, the size that it asks for, and the one that it should.
struct Resize<'a> {
    claim: &'a Value,
    is: &'a str,
    wanted: &'a str,
}

impl Release {
    /// Looks at the claims when a volume is to be of another size, or to be at all.
    pub(super) fn volumes(
        &self,
        talk: &mut Talk<'_>,
        there: &Value,
        live: &[&Value],
        change: &mut Change,
    ) -> Result<(), Open> {
        let volumes = self.changed_volumes(there, change.by_hand)?;
        if volumes.is_empty() {
            return Ok(());
        }
        let claims = self.claims(talk)?;
        let of = |volume: &Volume| {
            claims.iter().filter(|claim| volume.has(name(claim))).collect::<Vec<_>>()
        };
        let lost = volumes.iter().filter(|(volume, _)| of(volume).is_empty());
        let lost = lost
            .filter_map(|(volume, _)| volume.keeps)
            .filter(|keeps| live.iter().any(|object| kubectl::name(object) == keeps.object));
        change.warnings.extend(lost.map(|keeps| {
            format!("! {} has no volume until now, and loses {}", keeps.object, keeps.what)
        }));
        let anew = self.changed_volumes(there, false)?;
        change.warnings.extend(anew.iter().filter_map(|(volume, _)| {
            let (object, stops) = (volume.keeps?.object, volume.stops?);
            live.iter().any(|there| kubectl::name(there) == object).then_some(())?;
            Some(format!("! {object} has all its pods made anew by the operator: {stops} until they are ready"))
        }));
        let resizes: Vec<Resize<'_>> = volumes
            .iter()
            .flat_map(|(volume, wanted)| {
                of(volume).into_iter().filter_map(move |claim| Resize::of(claim, wanted))
            })
            .collect();
        // A volume made by hand may be larger: it stays so, unless Helm itself would change it.
        let stuck = resizes
            .iter()
            .filter(|resize| !resize.grows() && (resize.by_helm() || !change.by_hand));
        self.refuse(&stuck.collect::<Vec<_>>())?;
        // Helm itself enlarges a claim that is an object of the release.
        let grown = resizes.iter().filter(|resize| resize.grows() && !resize.by_helm());
        self.enlarge(talk, &grown.collect::<Vec<_>>(), change)
    }

    /// What waits for claims that an earlier release had and that are on their way out: Helm would
    /// take them for its own, and pods wait for ever for a volume that goes. Empty: there is none.
    pub(super) fn leaving(&self, talk: &mut Talk<'_>) -> Result<Change, Open> {
        let mut change = Change::default();
        for claim in self.claims(talk)? {
            let is_ours = self.release.volumes.iter().any(|volume| volume.has(name(&claim)));
            if is_ours && claim["metadata"]["deletionTimestamp"].is_string() {
                let object = kubectl::name(&claim);
                change.lines.push(format!("{object}{LEAVING}"));
                change.before.push(Effect::Cmd(self.kubectl.wait_gone(&object)));
            }
        }
        Ok(change)
    }

    fn claims(&self, talk: &mut Talk<'_>) -> Result<Vec<Value>, Open> {
        let claims = self.kubectl.cmd(["get", "persistentvolumeclaims", "-o", "json"]);
        kubectl::objects(&talk.success(&claims)?.stdout).map_err(|error| {
            Fail::new(Exit::Failed, format!("reading the claims: {error:#}")).into()
        })
    }

    /// The volumes whose size is to change, each with the new one; all of a release that was made
    /// by hand.
    fn changed_volumes(&self, there: &Value, all: bool) -> Result<Vec<(Volume, String)>, Fail> {
        let wanted = self.wanted_values()?;
        let volumes = self.release.volumes.iter().filter_map(|volume| {
            let path = owned(volume.size);
            let (before, after) = (diff::at(there, &path), diff::at(&wanted, &path)?);
            let same = before.is_some_and(|before| values::same(before, after));
            (all || !same).then(|| (*volume, text(Some(after))))
        });
        Ok(volumes.collect())
    }

    /// No volume ever shrinks.
    fn refuse(&self, stuck: &[&Resize<'_>]) -> Result<(), Fail> {
        if stuck.is_empty() {
            return Ok(());
        }
        let claims = stuck.iter().map(|resize| {
            format!("{} has {}, not {}", name(resize.claim), resize.is, resize.wanted)
        });
        let error = format!(
            "changing {}: its volumes cannot shrink: {}",
            self.release.name,
            claims.collect::<Vec<_>>().join("; ")
        );
        let hint = "leave `size` as it was, or give the volume's own value the size that it has: docs/configuration.md, values of your own";
        Err(Fail::new(Exit::Refused, error).hint(hint))
    }

    /// The API server lets no claim grow that has no volume yet.
    fn refuse_pending(&self, grown: &[&Resize<'_>]) -> Result<(), Fail> {
        let is_pending = |resize: &&&Resize<'_>| resize.claim["status"]["phase"] == "Pending";
        let pending: Vec<&str> =
            grown.iter().filter(is_pending).map(|resize| name(resize.claim)).collect();
        let [first, ..] = pending[..] else { return Ok(()) };
        let error = format!(
            "changing {}: what has no volume yet cannot grow: {}",
            self.release.name,
            pending.join(", ")
        );
        let describe = self.kubectl.by_hand(&["describe", "persistentvolumeclaim", first]);
        let hint = format!(
            "`{describe}` says what it waits for; once it is bound, or deleted (it holds nothing yet), run this again"
        );
        Err(Fail::new(Exit::TimedOut, error).hint(hint))
    }

    /// Asks for larger volumes, after the API server was asked whether their class lets them grow.
    fn enlarge(
        &self,
        talk: &mut Talk<'_>,
        grown: &[&Resize<'_>],
        change: &mut Change,
    ) -> Result<(), Open> {
        if grown.is_empty() {
            return Ok(());
        }
        self.refuse_pending(grown)?;
        let claims: Vec<_> = grown
            .iter()
            .map(|resize| (name(resize.claim).to_owned(), resize.wanted.to_owned()))
            .collect();
        let with_claims = |cmd: Cmd| cmd.docs([objects::claims(&claims)]);
        talk.success(&with_claims(self.kubectl.would_apply()))?;
        change.lines.extend(grown.iter().map(|resize| {
            let name = kubectl::name(resize.claim);
            format!("~ {name} {} -> {}", resize.is, resize.wanted)
        }));
        change.before.push(Effect::Cmd(with_claims(self.kubectl.apply())));
        Ok(())
    }
}

impl<'a> Resize<'a> {
    /// None: the claim is as it should be.
    fn of(claim: &'a Value, wanted: &'a str) -> Option<Self> {
        let is = claim["spec"]["resources"]["requests"]["storage"].as_str()?;
        let same = bytes(is).zip(bytes(wanted)).map_or(is == wanted, |(is, wanted)| is == wanted);
        (!same).then_some(Self { claim, is, wanted })
    }

    fn grows(&self) -> bool {
        bytes(self.is).zip(bytes(self.wanted)).is_some_and(|(is, wanted)| is < wanted)
    }

    fn by_helm(&self) -> bool {
        self.claim["metadata"]["annotations"]["meta.helm.sh/release-name"].is_string()
    }
}

fn name(claim: &Value) -> &str {
    claim["metadata"]["name"].as_str().unwrap_or_default()
}
