//! Custom resource definitions: those of the chart are there, or newer ones.
//!
//! Helm installs them with a release and then never touches them again, or replaces somebody's
//! newer ones; so they are a step of their own, before any release.
//!
//! They are megabytes, and to have the server compare them takes seconds. So it is not asked about a
//! definition of the chart's version that nobody but okemon has written to: it is as it was applied.

use std::path::PathBuf;

use super::deed::{Deed, Verb};
use super::step::{Action, Answer, Call, Decision, Effect};
use crate::fail::{Exit, Fail};
use crate::tools::cmd::Cmd;
use crate::tools::kubectl::{self, Kubectl};
use crate::tools::output::Output;
use crate::tools::{failure, helm};

/// The definitions of one chart.
#[derive(Clone, Debug)]
pub struct Crds {
    pub kubectl: Kubectl,
    /// The archive of the chart.
    pub chart: PathBuf,
    /// The kinds that are waited for, as kubectl names them: the API server serves a kind a moment
    /// after it has taken its definition.
    pub kinds: &'static [&'static str],
}

/// What the questions have told so far, in their order.
struct Seen {
    live: Option<Output>,
    chart: Option<Output>,
    wanted: Wanted,
    difference: Option<Output>,
}

/// What there is to know of the chart's definitions, read from their text, which is megabytes.
#[derive(Default)]
struct Wanted {
    /// The newest version that they carry; empty: none.
    version: Vec<u64>,
    names: Vec<String>,
}

impl Crds {
    pub fn deed() -> Deed {
        Deed::new(Verb::Apply, "the operator's custom resource definitions")
    }

    /// Whether the chart is here, the definitions that are there, the chart's, and whether these
    /// would change those.
    pub fn ask(&self, so_far: &[Answer]) -> Option<Call> {
        let Some(seen) = seen(so_far) else {
            return so_far.is_empty().then(|| Call::Archive(self.chart.clone()));
        };
        let (Some(live), chart, None) = (&seen.live, &seen.chart, &seen.difference) else {
            return seen.live.is_none().then(|| Call::Cmd(self.live()));
        };
        match chart {
            None if rows(live).next().is_none() => None,
            None => Some(Call::Cmd(helm::show_crds(&self.chart))),
            Some(_) if are_left(live, &seen.wanted) || ours(live, &seen.wanted) => None,
            Some(_) => Some(Call::Cmd(self.difference())),
        }
    }

    pub fn decide(&self, answers: &[Answer]) -> Decision {
        let Some(seen) = seen(answers) else { return self.apply(vec![]) };
        let wanted = &seen.wanted;
        match (&seen.live, &seen.chart, &seen.difference) {
            (Some(live), _, _) if live.code != Some(0) => refuse(&self.live(), live),
            (_, Some(chart), _) if chart.code != Some(0) => {
                refuse(&helm::show_crds(&self.chart), chart)
            }
            (Some(live), Some(_), None) if are_left(live, wanted) => left(live, wanted),
            (Some(live), Some(_), None) if ours(live, wanted) => Decision::unchanged(),
            // kubectl diff ends with 0 when nothing differs and with 1 when something does
            (Some(live), Some(_), Some(difference)) => match difference.code {
                Some(0) => Decision::unchanged(),
                Some(1) => {
                    let back = newer(live, wanted);
                    let tell = |name: &str| match back.iter().find(|row| row.name == name) {
                        Some(row) => older(row, wanted),
                        None => format!("~ {name}"),
                    };
                    self.apply(changed(&difference.stdout).map(tell).collect())
                }
                _ => refuse(&self.difference(), difference),
            },
            _ => self.apply(vec![]),
        }
    }

    fn apply(&self, details: Vec<String>) -> Decision {
        Decision::Do {
            action: if details.is_empty() { Action::Add } else { Action::Change },
            deed: Self::deed(),
            details,
            effects: vec![
                Effect::Cmd(self.kubectl.apply().reading(helm::show_crds(&self.chart))),
                Effect::Until(self.kubectl.cmd(["get", &self.served(), "--output", "name"])),
            ],
        }
    }

    fn served(&self) -> String {
        let kinds = self.kinds.iter().map(|kind| format!("{kind}{GROUP}"));
        kinds.collect::<Vec<_>>().join(",")
    }

    fn live(&self) -> Cmd {
        self.kubectl.cmd(["get", "customresourcedefinitions", "-o", COLUMNS, "--no-headers"])
    }

    fn difference(&self) -> Cmd {
        let args = ["diff", "--server-side", "--force-conflicts", "--concurrency", "4"];
        let manager = ["--field-manager", kubectl::FIELD_MANAGER, "-f", "-"];
        self.kubectl.cmd(args.into_iter().chain(manager)).reading(helm::show_crds(&self.chart))
    }
}

/// The answers by their names; none: the chart is not here yet, so nothing can be compared with it.
fn seen(answers: &[Answer]) -> Option<Seen> {
    let Some(Answer::Archive(Some(_))) = answers.first() else { return None };
    let output = |place: usize| answers.get(place).map(Answer::output);
    let chart = output(2);
    let wanted = chart.as_ref().map(Wanted::read).unwrap_or_default();
    Some(Seen { live: output(1), chart, wanted, difference: output(3) })
}

/// The annotation in which the operator's definitions carry their version.
const VERSION: &str = "operator.prometheus.io/version:";

/// Who may have written to a definition that is as we applied it: the API server writes its status.
const OURS: [&str; 2] = [kubectl::FIELD_MANAGER, "kube-apiserver"];

/// What is asked of each definition, and not the megabytes of it.
const COLUMNS: &str = r"custom-columns=NAME:.metadata.name,VERSION:.metadata.annotations.operator\.prometheus\.io/version,WRITERS:.metadata.managedFields[*].manager";

/// One definition of the operator that is there.
struct Row<'a> {
    name: &'a str,
    version: Vec<u64>,
    writers: &'a str,
}

/// The operator's definitions in an answer; those of other groups are left out.
fn rows(live: &Output) -> impl Iterator<Item = Row<'_>> {
    live.stdout.lines().filter_map(|line| {
        let mut columns = line.split_whitespace();
        let name = columns.next().filter(|name| name.ends_with(GROUP))?;
        let version = numbers(columns.next()?);
        Some(Row { name, version, writers: columns.next().unwrap_or_default() })
    })
}

/// The operator's API group, as names of definitions end.
const GROUP: &str = ".monitoring.coreos.com";

impl Wanted {
    fn read(chart: &Output) -> Self {
        let mut wanted = Self::default();
        for line in chart.stdout.lines() {
            if let Some(name) = line.strip_prefix("  name: ") {
                wanted.names.extend(name.ends_with(GROUP).then(|| name.to_owned()));
            } else if let Some(version) = line.trim_start().strip_prefix(VERSION) {
                wanted.version = wanted.version.max(numbers(version.trim().trim_matches('"')));
            }
        }
        wanted
    }
}

/// The definitions that are newer than the chart's, whose version is known.
fn newer<'a>(live: &'a Output, wanted: &Wanted) -> Vec<Row<'a>> {
    let known = !wanted.version.is_empty();
    rows(live).filter(|row| known && row.version > wanted.version).collect()
}

/// Whether some definitions are newer than the chart's, and none of the chart's is there in an older
/// version: where some are, all are compared.
fn are_left(live: &Output, wanted: &Wanted) -> bool {
    let is_older = |row: Row<'_>| {
        row.version < wanted.version && wanted.names.iter().any(|name| name == row.name)
    };
    !newer(live, wanted).is_empty() && !rows(live).any(is_older)
}

/// The chart's definitions that are not there.
fn absent(live: &Output, wanted: &Wanted) -> Vec<String> {
    let there = |name: &&String| rows(live).any(|row| row.name == *name);
    wanted.names.iter().filter(|name| !there(name)).cloned().collect()
}

/// Whether every definition of the chart is there in the chart's version, which is known, and nobody
/// else has written to it.
fn ours(live: &Output, wanted: &Wanted) -> bool {
    let is_ours = |row: &Row<'_>| {
        row.version == wanted.version && row.writers.split(',').all(|writer| OURS.contains(&writer))
    };
    let is_there = |name: &String| rows(live).any(|row| row.name == name && is_ours(&row));
    !wanted.version.is_empty() && !wanted.names.is_empty() && wanted.names.iter().all(is_there)
}

/// `0.85.0` as numbers, so that versions compare as such; nothing when there is none.
fn numbers(version: &str) -> Vec<u64> {
    version.trim_start_matches('v').split('.').map_while(|part| part.parse().ok()).collect()
}

fn shown(version: &[u64]) -> String {
    version.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// The definitions that a diff speaks of: its files are named `GROUP.KIND..NAME`.
fn changed(diff: &str) -> impl Iterator<Item = &str> {
    let files = diff.lines().filter_map(|line| line.strip_prefix("+++ "));
    files.map(|line| {
        let path = line.split('\t').next().unwrap_or(line);
        path.rsplit("..").next().unwrap_or(path)
    })
}

/// That a definition goes back to the chart's version.
fn older(row: &Row<'_>, wanted: &Wanted) -> String {
    let (there, wanted) = (shown(&row.version), shown(&wanted.version));
    format!("! {} is of operator {there}, and goes back to the chart's {wanted}", row.name)
}

/// Newer definitions are somebody else's. They are left, and must be all that the chart needs.
fn left(live: &Output, wanted: &Wanted) -> Decision {
    let newest = rows(live).map(|row| row.version).max().unwrap_or_default();
    let absent = absent(live, wanted);
    let (there, wanted) = (shown(&newest), shown(&wanted.version));
    if absent.is_empty() {
        let note = format!(
            "the custom resource definitions are of operator {there}, newer than the chart's {wanted}: left as they are"
        );
        return Decision::Unchanged { note: Some(note) };
    }
    let error = format!(
        "looking at the custom resource definitions: those of operator {there} are there, newer than the chart's {wanted}, but not {}",
        absent.join(", ")
    );
    let hint = format!(
        "`kubectl apply --server-side` all definitions of operator {there}, or remove those that are there when nothing uses them"
    );
    Decision::Refuse(Fail::new(Exit::Refused, error).hint(hint))
}

fn refuse(cmd: &Cmd, output: &Output) -> Decision {
    Decision::Refuse(failure::explain(cmd, output))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Intent;
    use crate::plan::testing::{digest, failed, intent, said, told};

    const CHART: &str = "metadata:\n  annotations:\n    operator.prometheus.io/version: 0.85.0\n  name: probes.monitoring.coreos.com\n";

    fn crds() -> Crds {
        let Intent::Crds(crds) = intent("sin/crds") else { panic!() };
        crds
    }

    /// What is decided when the cluster has a definition of `version, writers`, and a diff
    /// ends like `diff`.
    fn decided(live: &str, diff: Option<Answer>) -> String {
        let live = format!("probes.monitoring.coreos.com   {live}\n");
        let mut answers = vec![digest("d"), said(&live), said(CHART)];
        answers.extend(diff);
        assert!(crds().ask(&answers).is_none(), "a question is left");
        told(&crds().decide(&answers))
    }

    #[test]
    fn newer_definitions_of_somebody_else_are_seen_and_left() {
        assert_eq!(
            decided("0.93.1 helm", None),
            "unchanged: the custom resource definitions are of operator 0.93.1, newer than the chart's 0.85.0: left as they are"
        );
    }

    #[test]
    fn where_some_are_newer_and_some_older_all_are_compared_and_what_goes_back_is_told() {
        let chart = format!("{CHART}  name: podmonitors.monitoring.coreos.com\n");
        let decided = |probes: &str, podmonitors: &str, chart: &str| {
            let row = |name: &str, version: &str| match version {
                "" => String::new(),
                version => format!("{name}.monitoring.coreos.com   {version} helm\n"),
            };
            let live = row("probes", probes) + &row("podmonitors", podmonitors);
            let mut answers = vec![digest("d"), said(&live), said(chart)];
            if crds().ask(&answers).is_some() {
                let file =
                    |name| format!("+++ /tmp/MERGED-2/v1..{name}.monitoring.coreos.com\tnow\n");
                let mut differs = failed("");
                if let Answer::Output(output) = &mut differs {
                    output.stdout = ["probes", "podmonitors"].map(file).concat();
                }
                answers.push(differs);
            }
            let told = told(&crds().decide(&answers));
            let lines = told.lines().filter(|line| !line.starts_with("  $ "));
            lines.map(|line| format!("{line}\n")).collect::<String>()
        };
        insta::assert_snapshot!(decided("0.93.1", "0.80.0", &chart), @"
        Change: apply the operator's custom resource definitions
          ! probes.monitoring.coreos.com is of operator 0.93.1, and goes back to the chart's 0.85.0
          ~ podmonitors.monitoring.coreos.com
        ");
        insta::assert_snapshot!(decided("0.93.1", "0.85.0", &chart), @"unchanged: the custom resource definitions are of operator 0.93.1, newer than the chart's 0.85.0: left as they are");
        insta::assert_snapshot!(decided("0.93.1", "", &chart), @"refused (Refused): looking at the custom resource definitions: those of operator 0.93.1 are there, newer than the chart's 0.85.0, but not podmonitors.monitoring.coreos.com");
        // A chart that does not tell its version.
        insta::assert_snapshot!(decided("0.93.1", "0.80.0", &chart.replace("0.85.0", "next")), @"
        Change: apply the operator's custom resource definitions
          ~ probes.monitoring.coreos.com
          ~ podmonitors.monitoring.coreos.com
        ");
    }

    #[test]
    fn definitions_are_applied_when_there_are_none_or_others() {
        let answers = [digest("d"), said("stages.kwok.x-k8s.io   <none> kwok\n")];
        assert!(crds().ask(&answers).is_none(), "a question is left");
        insta::assert_snapshot!(told(&crds().decide(&answers)), @"
        Add: apply the operator's custom resource definitions
          $ helm show crds /charts/kube-prometheus-11.3.10.tgz | kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
          $ until kubectl --context oke-sin --namespace monitoring get prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com,servicemonitors.monitoring.coreos.com,prometheusrules.monitoring.coreos.com,podmonitors.monitoring.coreos.com,probes.monitoring.coreos.com,alertmanagerconfigs.monitoring.coreos.com,prometheusagents.monitoring.coreos.com,scrapeconfigs.monitoring.coreos.com,thanosrulers.monitoring.coreos.com --output name; do sleep 1; done
        ");
        let diff = "+++ /tmp/MERGED-2/apiextensions.k8s.io.v1.CustomResourceDefinition..probes.monitoring.coreos.com\tnow\n";
        let mut differs = failed("");
        if let Answer::Output(output) = &mut differs {
            diff.clone_into(&mut output.stdout);
        }
        insta::assert_snapshot!(decided("0.80.0 helm", Some(differs)), @"
        Change: apply the operator's custom resource definitions
          ~ probes.monitoring.coreos.com
          $ helm show crds /charts/kube-prometheus-11.3.10.tgz | kubectl --context oke-sin --namespace monitoring apply --server-side --force-conflicts --validate=false --field-manager okemon -f -
          $ until kubectl --context oke-sin --namespace monitoring get prometheuses.monitoring.coreos.com,alertmanagers.monitoring.coreos.com,servicemonitors.monitoring.coreos.com,prometheusrules.monitoring.coreos.com,podmonitors.monitoring.coreos.com,probes.monitoring.coreos.com,alertmanagerconfigs.monitoring.coreos.com,prometheusagents.monitoring.coreos.com,scrapeconfigs.monitoring.coreos.com,thanosrulers.monitoring.coreos.com --output name; do sleep 1; done
        ");
    }

    #[test]
    fn equal_definitions_are_not_sent() {
        assert_eq!(decided("0.85.0 helm", Some(said(""))), "unchanged");
    }

    #[test]
    fn definitions_that_only_okemon_wrote_to_are_not_even_compared() {
        assert_eq!(decided("0.85.0 okemon,kube-apiserver", None), "unchanged");
        let answers = |live: &str| {
            let live = format!("probes.monitoring.coreos.com   {live}\n");
            [digest("d"), said(&live), said(CHART)]
        };
        let compared =
            ["0.84.0 okemon", "<none> okemon", "0.85.0 okemon,kubectl-edit", "0.85.0 helm"];
        for live in compared {
            assert!(crds().ask(&answers(live)).is_some(), "{live}");
        }
    }

    #[test]
    fn what_is_not_fetched_yet_is_compared_later() {
        let answers = [Answer::Archive(None)];
        assert!(crds().ask(&answers).is_none());
        assert!(matches!(crds().decide(&answers), Decision::Do { .. }));
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(numbers("0.93.1") > numbers("0.9.10"));
        assert!(numbers("v1.0") > numbers("0.99"));
        assert_eq!(numbers("<none>"), Vec::<u64>::new());
    }
}
