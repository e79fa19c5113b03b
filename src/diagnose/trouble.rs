//! What was found, before many troubles of one cause become one finding.

use std::cmp::Reverse;

use super::catalogue::Id;
use super::{Finding, Severity, Unheard};

/// One thing that keeps one object from being ready.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub finding: Finding,
    /// What two pods of one workload share, though counters and addresses in their words differ.
    pub cause: String,
    /// How many other objects have it, too.
    pub others: usize,
    pub buys_time: bool,
    /// The container whose words would say more.
    pub unheard: Option<Unheard>,
}

impl Trouble {
    pub(super) fn new(
        id: Id,
        object: String,
        severity: Severity,
        reason: String,
        hint: String,
    ) -> Self {
        let cause = reason.split(':').next().unwrap_or_default().to_owned();
        let finding = Finding { id, object, reason, hint: Some(hint), severity };
        Self { finding, cause, others: 0, buys_time: false, unheard: None }
    }

    /// Nothing is wrong, and the object is not ready.
    pub(super) fn starting(object: String, reason: String, hint: String) -> Self {
        Self::new(Id::Starting, object, Severity::Starting, reason, hint)
    }

    /// The worst first, then by object.
    pub(super) fn rank(&self) -> (Reverse<Severity>, String, String) {
        let Finding { object, reason, severity, .. } = &self.finding;
        (Reverse(*severity), object.clone(), reason.clone())
    }

    /// The finding that stands for all that have it.
    pub(super) fn told(self) -> Finding {
        let mut finding = self.finding;
        if self.others > 0 {
            finding.object = format!("{} and {} more", finding.object, self.others);
        }
        finding
    }
}

/// One trouble a cause: for the pods of one workload, the first standing for all.
pub(super) fn by_cause(troubles: impl IntoIterator<Item = Trouble>) -> Vec<Trouble> {
    merged(troubles, |one, other| {
        one.cause == other.cause && one.finding.severity == other.finding.severity
    })
}

/// One trouble for all that read the same, such as full nodes. What starts stays as it is.
pub(super) fn by_words(troubles: impl IntoIterator<Item = Trouble>) -> Vec<Trouble> {
    merged(troubles, |one, other| {
        one.finding.severity > Severity::Starting
            && one.finding.severity == other.finding.severity
            && one.finding.reason == other.finding.reason
    })
}

fn merged(
    troubles: impl IntoIterator<Item = Trouble>,
    same: impl Fn(&Trouble, &Trouble) -> bool,
) -> Vec<Trouble> {
    let mut found: Vec<Trouble> = Vec::new();
    for trouble in troubles {
        let Some(known) = found.iter_mut().find(|known| same(known, &trouble)) else {
            found.push(trouble);
            continue;
        };
        known.buys_time |= trouble.buys_time;
        if known.finding.object != trouble.finding.object {
            known.others += 1 + trouble.others;
        }
    }
    found
}
