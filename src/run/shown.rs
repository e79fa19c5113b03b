//! What is about to be done, beside what was shown before.

use crate::fail::{Exit, Fail};
use crate::plan::Decision;
use crate::plan::release::{CUT_SHORT, KINDS_GONE, passes};

/// What may be done though it was not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leeway {
    /// Nothing: somebody decided on what was shown.
    Nothing,
    /// What loses nothing: nobody was shown anything to decide on.
    Harmless,
    /// What comes of an attempt of this run's own, its Helm's half-done revision among it.
    Own,
}

/// A note when what is about to be done is not just what was shown; none of it was shown of a step
/// that was not surveyed.
///
/// # Errors
/// When it may not be done. Less than was shown always may.
pub(super) fn compare(
    decision: &Decision,
    shown: Option<&Decision>,
    leeway: Leeway,
) -> Result<Option<String>, Fail> {
    let (Decision::Do { action, deed, details, .. }, Some(shown)) = (decision, shown) else {
        return Ok(None);
    };
    let (same_deed, before) = match shown {
        Decision::Do { action: then, deed: other, details, .. } => {
            ((then, other) == (action, deed), details.as_slice())
        }
        _ => (false, &[][..]),
    };
    if same_deed && details == before {
        return Ok(None);
    }
    let mut new = details.iter().filter(|line| !was_told(line, before) && !passes(line));
    let refused = match leeway {
        Leeway::Nothing => new.next().map(String::as_str).or((!same_deed).then_some("")),
        Leeway::Harmless => new.find(|line| is_loss(line)).map(String::as_str),
        Leeway::Own => {
            new.find(|line| is_loss(line) && !line.contains(CUT_SHORT)).map(String::as_str)
        }
    };
    let Some(line) = refused else {
        let details: String = details.iter().map(|detail| format!("; {detail}")).collect();
        return Ok(Some(format!("unlike what was shown: {deed}{details}")));
    };
    let colon = if line.is_empty() { "" } else { ": " };
    let error = format!("{deed}: what is there has changed since it was shown{colon}{line}");
    Err(Fail::new(Exit::Refused, error).hint("run this again: it is shown before, with all else"))
}

/// Of kinds that the cluster did not know nobody could say which objects are missing: that is seen
/// once this run has brought the kinds back.
fn was_told(line: &String, before: &[String]) -> bool {
    before.contains(line)
        || (line.starts_with("+ ") && before.iter().any(|told| told == KINDS_GONE))
}

fn is_loss(line: &str) -> bool {
    line.starts_with("! ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::deed::{Deed, Verb};
    use crate::plan::step::Action;

    const ALL: [Leeway; 3] = [Leeway::Nothing, Leeway::Harmless, Leeway::Own];

    fn decided(action: Action, verb: Verb, details: &[&str]) -> Decision {
        Decision::Do {
            action,
            deed: Deed::new(verb, "thanos"),
            details: details.iter().map(|&line| line.to_owned()).collect(),
            effects: vec![],
        }
    }

    fn change(details: &[&str]) -> Decision {
        decided(Action::Change, Verb::Change, details)
    }

    /// What is said with each leeway when `now` is about to be done.
    fn said(now: &Decision, shown: &Decision) -> String {
        let line = |leeway| match compare(now, Some(shown), leeway) {
            Ok(note) => format!("{leeway:?}: {}", note.unwrap_or_default()),
            Err(fail) => format!("{leeway:?}: refused: {fail}"),
        };
        ALL.map(line).join("\n")
    }

    #[test]
    fn what_was_shown_is_done_without_a_word_and_so_is_nothing() {
        let shown = change(&["! a", "b"]);
        for leeway in ALL {
            assert_eq!(compare(&shown, Some(&shown), leeway), Ok(None));
            assert_eq!(compare(&Decision::unchanged(), Some(&shown), leeway), Ok(None));
            assert_eq!(compare(&shown, None, leeway), Ok(None));
        }
    }

    #[test]
    fn less_than_was_shown_is_done() {
        insta::assert_snapshot!(said(&change(&["b"]), &change(&["! a", "b"])), @"
        Nothing: unlike what was shown: change thanos; b
        Harmless: unlike what was shown: change thanos; b
        Own: unlike what was shown: change thanos; b
        ");
    }

    #[test]
    fn more_than_was_shown_is_refused_where_somebody_decided_on_that() {
        insta::assert_snapshot!(said(&change(&["a", "b"]), &change(&["a"])), @"
        Nothing: refused: change thanos: what is there has changed since it was shown: b
        Harmless: unlike what was shown: change thanos; a; b
        Own: unlike what was shown: change thanos; a; b
        ");
        insta::assert_snapshot!(said(&change(&["a"]), &Decision::unchanged()), @"
        Nothing: refused: change thanos: what is there has changed since it was shown: a
        Harmless: unlike what was shown: change thanos; a
        Own: unlike what was shown: change thanos; a
        ");
        let install = decided(Action::Add, Verb::Install, &[]);
        insta::assert_snapshot!(said(&install, &change(&["a"])), @"
        Nothing: refused: install thanos: what is there has changed since it was shown
        Harmless: unlike what was shown: install thanos
        Own: unlike what was shown: install thanos
        ");
    }

    #[test]
    fn a_loss_that_was_not_shown_is_refused_whoever_was_asked() {
        insta::assert_snapshot!(said(&change(&["! a"]), &change(&["a"])), @"
        Nothing: refused: change thanos: what is there has changed since it was shown: ! a
        Harmless: refused: change thanos: what is there has changed since it was shown: ! a
        Own: refused: change thanos: what is there has changed since it was shown: ! a
        ");
    }

    #[test]
    fn only_after_an_attempt_of_its_own_a_run_puts_right_what_was_cut_short_since() {
        let cut_short = format!("! revision 1 {CUT_SHORT}it is forgotten");
        let install = decided(Action::Add, Verb::Install, &[]);
        insta::assert_snapshot!(said(&change(&[&cut_short]), &install), @"
        Nothing: refused: change thanos: what is there has changed since it was shown: ! revision 1 was cut short: it is forgotten
        Harmless: refused: change thanos: what is there has changed since it was shown: ! revision 1 was cut short: it is forgotten
        Own: unlike what was shown: change thanos; ! revision 1 was cut short: it is forgotten
        ");
    }

    #[test]
    fn a_pod_that_has_ceased_to_be_ready_since_is_replaced_with_the_others() {
        let pod = "- Pod/thanos-ruler-0: it is not ready, and its StatefulSet would wait for it";
        insta::assert_snapshot!(said(&change(&["a", pod]), &change(&["a"])), @"
        Nothing: unlike what was shown: change thanos; a; - Pod/thanos-ruler-0: it is not ready, and its StatefulSet would wait for it
        Harmless: unlike what was shown: change thanos; a; - Pod/thanos-ruler-0: it is not ready, and its StatefulSet would wait for it
        Own: unlike what was shown: change thanos; a; - Pod/thanos-ruler-0: it is not ready, and its StatefulSet would wait for it
        ");
    }

    #[test]
    fn objects_of_kinds_that_this_run_brought_back_were_told_of() {
        insta::assert_snapshot!(said(&change(&["+ ServiceMonitor/a"]), &change(&[KINDS_GONE])), @"
        Nothing: unlike what was shown: change thanos; + ServiceMonitor/a
        Harmless: unlike what was shown: change thanos; + ServiceMonitor/a
        Own: unlike what was shown: change thanos; + ServiceMonitor/a
        ");
    }
}
