//! `okemon explain`: what a finding's id means, offline.

use crate::config::faults::nearest;
use crate::diagnose::catalogue::{CATALOGUE, Entry, Id};
use crate::fail::{Exit, Fail};

/// All that there is to say about an id; none: every id, a line each.
///
/// # Errors
/// [`Exit::Usage`], when there is no such id.
pub fn explain(id: Option<&str>) -> Result<String, Fail> {
    let Some(id) = id else { return Ok(CATALOGUE.iter().map(line).collect()) };
    Id::named(id).map(|id| about(id.entry())).ok_or_else(|| unknown(id))
}

fn line(entry: &Entry) -> String {
    let longest = CATALOGUE.iter().map(|entry| entry.name.len()).max().unwrap_or_default();
    format!("{:longest$}  {}\n", entry.name, entry.title)
}

fn about(entry: &Entry) -> String {
    let Entry { name, title, meaning, remedy, .. } = entry;
    let list = |title: &str, lines: &[&str]| match lines {
        [] => String::new(),
        lines => format!("\n{title}:\n    {}\n", lines.join("\n    ")),
    };
    let see = list("See it, with your own names for those in capitals", entry.see);
    let more = list("Documented at", entry.more);
    format!("{name}: {title}\n\n{meaning}\n{see}\nWhat to do: {remedy}\n{more}")
}

fn unknown(id: &str) -> Fail {
    let typed = CATALOGUE.iter().flat_map(|entry| [entry.name, entry.short()]);
    let hint = match nearest(id, typed).and_then(Id::named) {
        Some(id) => format!("`okemon explain {id}`?"),
        None => "`okemon explain` lists every id".to_owned(),
    };
    Fail::new(Exit::Usage, format!("explaining {id:?}: there is no such id")).hint(hint)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn an_id_is_explained_whatever_its_case() {
        assert_eq!(explain(Some("image-denied")), explain(Some("OKM-IMAGE-DENIED")));
        assert_snapshot!(explain(Some("OKM-IMAGE-DENIED")).unwrap(), @"
        OKM-IMAGE-DENIED: the registry does not let the nodes pull

        The registry wants a login that the pod does not have, or does not allow it this image. Some registries say so of an image that does not exist, too.

        See it, with your own names for those in capitals:
            kubectl --context CONTEXT -n monitoring describe pod POD
            kubectl --context CONTEXT -n monitoring get secrets

        What to do: Make a Secret of type kubernetes.io/dockerconfigjson in the namespace, and name it in `imagePullSecrets`. If there is one, its user may not pull from this repository, or its token is too old.

        Documented at:
            https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
        ");
        assert_snapshot!(explain(Some("okm-service-absent")).unwrap(), @"
        OKM-SERVICE-ABSENT: a Service is not there

        The Service that publishes the StoreAPI has been deleted.

        See it, with your own names for those in capitals:
            kubectl --context CONTEXT -n monitoring get services

        What to do: Run `okemon install` again: it puts it back. Its load balancer may get another address.
        ");
    }

    #[test]
    fn without_an_id_all_of_them_are_listed() {
        let listed = explain(None).unwrap();
        assert_eq!(listed.lines().count(), CATALOGUE.len());
        assert!(
            listed.starts_with("OKM-STARTING               it is still starting\n"),
            "{listed}"
        );
    }

    #[test]
    fn an_id_that_there_is_not_is_refused_with_the_nearest() {
        let said = |id: &str| {
            let fail = explain(Some(id)).unwrap_err();
            format!("{:?}: {}\n{}", fail.exit, fail.error, fail.hint.unwrap())
        };
        assert_snapshot!(said("OKM-CRASHED"), @r#"
        Usage: explaining "OKM-CRASHED": there is no such id
        `okemon explain OKM-CRASH`?
        "#);
        assert_snapshot!(said("out of memory"), @r#"
        Usage: explaining "out of memory": there is no such id
        `okemon explain OKM-OUT-OF-MEMORY`?
        "#);
        assert_eq!(said("oom"), said("$(id)").replace("$(id)", "oom"));
        assert_snapshot!(said("$(id)"), @r#"
        Usage: explaining "$(id)": there is no such id
        `okemon explain` lists every id
        "#);
    }
}
