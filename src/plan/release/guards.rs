//! Which chart a release may be made from; another is refused before anything is changed.

use super::Release;
use crate::fail::{Exit, Fail};
use crate::tools::helm::Archive;

impl Release {
    /// The archive holds the chart that its name says.
    pub(super) fn check_archive(&self, archive: &Archive) -> Result<(), Fail> {
        let wanted = &self.release.chart;
        let holds = match &archive.chart {
            Some(chart)
                if (chart.name.as_str(), &chart.version) == (wanted.name, &wanted.version) =>
            {
                return Ok(());
            }
            Some(chart) => format!("it holds {} {}", chart.name, chart.version),
            None => "it is no archive of a chart".to_owned(),
        };
        let (path, name) = (self.archive.display(), self.release.name);
        let error = format!("looking for the chart of {name} in {path}: {holds}");
        Err(Fail::new(Exit::Config, error).hint(format!(
            "`helm pull {} --version {}` brings the right one; remove that file first",
            wanted.reference, wanted.version
        )))
    }

    /// Another family's chart cannot go on from where this one's is: what is immutable differs.
    pub(super) fn check_chart(&self, archive: &str) -> Result<(), Fail> {
        let wanted = self.release.chart.name;
        // The version begins at the first hyphen before a digit.
        let version = archive
            .match_indices('-')
            .find(|(at, _)| archive[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let Some((chart, _)) = version.map(|(at, _)| archive.split_at(at)) else { return Ok(()) };
        if chart == wanted {
            return Ok(());
        }
        let error = format!(
            "changing {}: it was made from {chart}, and {wanted} cannot take it over",
            self.release.name
        );
        Err(Fail::new(Exit::Refused, error).hint(
            "`charts` as it was goes on; docs/leaving.md says how to remove what is there, and what stays",
        ))
    }
}
