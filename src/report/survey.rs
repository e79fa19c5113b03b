//! What would change, in words, before anything is changed.

use super::event::Change;
use super::words::{Mark, Said, below};

/// A line a change, what differs below it, and one line that counts.
pub(super) fn survey(changes: &[Change], unchanged: usize) -> Vec<Said> {
    let width = changes.iter().map(|change| change.step.len()).max().unwrap_or(0);
    let line = |change: &Change| {
        let Change { step, action, summary, details } = change;
        let details: String = details.iter().map(|detail| below(1, detail)).collect();
        Said::new((*action).into(), &format!("{step:width$}  {summary}{details}"))
    };
    let count = format!("Plan: {} to change, {unchanged} unchanged.", changes.len());
    changes.iter().map(line).chain([Said::new(Mark::Plain, &count)]).collect()
}
