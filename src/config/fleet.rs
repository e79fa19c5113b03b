//! What the clusters of one file must not do to each other, and which of them are meant.
//!
//! What each cluster says of itself is checked by `reader`.

use std::collections::BTreeSet;

use super::faults::{Fault, Place, quoted};
use super::layers::{SETTINGS, Selection, Setting};
use super::names::{BucketName, ClusterName};
use super::regions::{self, Region};
use super::{Cluster, fields::Reading};

/// How many clusters a file may have until clusters are wired to each other.
const MOST_CLUSTERS_YET: usize = 1;

/// One cluster of the file; what is wrong or missing is none.
pub(super) struct Member {
    pub(super) name: Option<ClusterName>,
    pub(super) region: Option<Region>,
    pub(super) role: Option<Role>,
    /// The region's key, the bucket and the prefix that its blocks go to.
    pub(super) bucket: Option<(&'static str, BucketName, String)>,
    pub(super) selected: bool,
    pub(super) cluster: Option<Cluster>,
    pub(super) place: Place,
}

/// What a cluster is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Grafana runs here, and Query sees the others.
    Admin,
    Managed,
}

/// Every fault that one cluster alone does not show.
pub(super) fn faults(
    members: &[Member],
    clusters: &Place,
    reading: &Reading<'_>,
    selection: &Selection,
) -> Vec<Fault> {
    let mut faults = doubles(members);
    faults.extend(roles(members, clusters));
    faults.extend(members.get(MOST_CLUSTERS_YET).map(|second| {
        let message = "a second cluster is not supported yet; write one cluster a file";
        Fault::new(second.place.clone(), "clusters", message)
    }));
    faults.extend(choices_of_nothing(members, selection));
    faults.extend(settings_of_one(members, reading.settings));
    faults
}

fn doubles(members: &[Member]) -> Vec<Fault> {
    let (mut names, mut buckets) = (BTreeSet::new(), BTreeSet::new());
    let mut faults = Vec::new();
    for Member { name, bucket, place, .. } in members {
        let mut fault = |key, message| faults.push(Fault::new(place.clone(), key, message));
        if let Some(name) = name
            && !names.insert(name)
        {
            fault("name", format!("a second cluster is named `{name}`; give each its own name"));
        }
        if let Some(bucket @ (region, name, _)) = bucket
            && !buckets.insert(bucket)
        {
            let what = format!("a second cluster of {region} has bucket `{name}` and this prefix");
            fault("bucket", format!("{what}: two compactors destroy data; write another prefix"));
        }
    }
    faults
}

/// A single cluster is the admin without saying so.
fn roles(members: &[Member], clusters: &Place) -> Vec<Fault> {
    let mut admins = members.iter().filter(|member| member.role == Some(Role::Admin));
    let first = admins.next();
    if first.is_none() && members.len() > 1 {
        let message = "none has role: admin; write it on the one that Grafana shall run in";
        return vec![Fault::new(clusters.clone(), "clusters", message)];
    }
    admins
        .map(|second| {
            let message = "a second cluster has role: admin; write managed on all but one";
            Fault::new(second.place.clone(), "role", message)
        })
        .collect()
}

/// Flags that select no cluster.
fn choices_of_nothing(members: &[Member], selection: &Selection) -> Vec<Fault> {
    let known: Vec<_> = members
        .iter()
        .filter_map(|member| Some(format!("{} in {}", member.name.as_ref()?, member.region?.key)))
        .collect();
    let nothing = |choice: &Setting, what: &str| {
        let found = format!("{} {what}; it has {}", quoted(&choice.value), known.join(", "));
        Fault::new(choice.place(), choice.key, found)
    };
    let mut faults = Vec::new();
    for choice in &selection.regions {
        match regions::find(&choice.value) {
            Err(error) => faults.push(Fault::new(choice.place(), choice.key, error.to_string())),
            Ok(region) if members.iter().any(|member| member.region == Some(region)) => {}
            Ok(_) => faults.push(nothing(choice, "is the region of no cluster of the file")),
        }
    }
    for choice in &selection.clusters {
        let named =
            |member: &Member| member.name.as_ref().is_some_and(|n| n.as_str() == choice.value);
        if !members.iter().any(named) {
            faults.push(nothing(choice, "is no cluster of the file"));
        }
    }
    if faults.is_empty() && !members.is_empty() && members.iter().all(|member| !member.selected) {
        faults.extend(
            selection.clusters.first().map(|choice| nothing(choice, "is in another region")),
        );
    }
    faults
}

/// Settings that can be true of one cluster only, when several are selected.
fn settings_of_one(members: &[Member], settings: &[Setting]) -> Vec<Fault> {
    let selected = members.iter().filter(|member| member.selected);
    let names: Vec<_> = selected.filter_map(|member| member.name.as_ref()).collect();
    if names.len() < 2 {
        return Vec::new();
    }
    let names = names.into_iter().map(ClusterName::as_str).collect::<Vec<_>>().join(", ");
    let of_one = |setting: &&Setting| {
        SETTINGS.iter().any(|known| known.key == setting.key && known.one_cluster)
    };
    let message =
        format!("for one cluster at a time, and these are selected: {names}; add --cluster NAME");
    let fault = |setting: &Setting| Fault::new(setting.place(), setting.key, message.as_str());
    settings.iter().filter(of_one).map(fault).collect()
}

impl Selection {
    /// Whether the cluster is meant. One whose name or region is wrong has its own fault.
    pub(super) fn selects(&self, region: Option<Region>, name: Option<&ClusterName>) -> bool {
        let names = self.clusters.iter().map(|choice| choice.value.as_str());
        let regions = self.regions.iter().filter_map(|choice| regions::find(&choice.value).ok());
        let by_name = name.is_none_or(|name| names.clone().any(|other| other == name.as_str()));
        let by_region = region.is_none_or(|region| regions.clone().any(|other| other == region));
        (self.clusters.is_empty() || by_name) && (self.regions.is_empty() || by_region)
    }
}
