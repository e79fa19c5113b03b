//! Where values come from: the file, then variables, then flags; the later wins.
//!
//! All of it is data here. `cli/` opens the file, reads the environment and the command line, and
//! builds its flags from [`SETTINGS`], so that a setting is one row.

use std::path::PathBuf;

use super::faults::Place;

/// A file as it was found.
#[derive(Clone, Debug)]
pub struct Source {
    /// How messages name it: the path as the user wrote it.
    pub origin: String,
    /// The directory that relative paths in the file begin at.
    pub directory: PathBuf,
    pub bytes: Vec<u8>,
}

/// A value from a flag or a variable. It wins over the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key of the file that it stands for, as [`Known::key`] spells it.
    pub key: &'static str,
    pub value: String,
    /// How messages name it: `--bucket` or `OKEMON_BUCKET`.
    pub origin: String,
}

/// Which clusters of the file are meant: those of all named regions and names; empty: every one.
/// Without a file, one region makes the only cluster.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pub regions: Vec<Setting>,
    pub clusters: Vec<Setting>,
}

/// A key of the file that has a flag and a variable too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// The key with its sections: `objectStorage.bucket`, `clusters[].context`.
    pub key: &'static str,
    /// The flag, without hyphens at the front.
    pub flag: &'static str,
    pub variable: &'static str,
    /// What the help writes for the value.
    pub value: &'static str,
    /// Whether it makes sense for one cluster at a time only.
    pub one_cluster: bool,
}

const fn known(
    key: &'static str,
    flag: &'static str,
    variable: &'static str,
    value: &'static str,
) -> Known {
    Known { key, flag, variable, value, one_cluster: false }
}

const fn one(known: Known) -> Known {
    Known { one_cluster: true, ..known }
}

pub const REGION: Known = known("clusters[].region", "region", "OKEMON_REGION", "KEY");
pub const CLUSTER: Known = known("clusters[].name", "cluster", "OKEMON_CLUSTER", "NAME");

/// Every other setting, in the order of the help. Those of a cluster win over its own keys in the
/// file, and over what it would take from the whole file.
#[rustfmt::skip]
pub const SETTINGS: &[Known] = &[
    one(known("clusters[].context", "context", "OKEMON_CONTEXT", "NAME")),
    known("clusters[].kubeconfig", "kubeconfig", "OKEMON_KUBECONFIG", "FILE"),
    one(known("clusters[].uid", "uid", "OKEMON_UID", "UID")),
    known("namespace", "namespace", "OKEMON_NAMESPACE", "NAME"),
    one(known("clusters[].bucket", "bucket", "OKEMON_BUCKET", "NAME")),
    one(known("clusters[].prefix", "prefix", "OKEMON_PREFIX", "PATH")),
    known("clusters[].compartment", "compartment", "OKEMON_COMPARTMENT", "OCID"),
    known("objectStorage.namespace", "object-storage-namespace", "OKEMON_OBJECT_STORAGE_NAMESPACE", "NAME"),
    known("objectStorage.endpoint", "endpoint", "OKEMON_ENDPOINT", "URL"),
    known("clusters[].size", "size", "OKEMON_SIZE", "SIZE"),
    known("clusters[].retention.local", "retention-local", "OKEMON_RETENTION_LOCAL", "DURATION"),
    known("clusters[].retention.raw", "retention-raw", "OKEMON_RETENTION_RAW", "DURATION"),
    known("clusters[].retention.fiveMinutes", "retention-five-minutes", "OKEMON_RETENTION_FIVE_MINUTES", "DURATION"),
    known("clusters[].retention.oneHour", "retention-one-hour", "OKEMON_RETENTION_ONE_HOUR", "DURATION"),
    known("chartDirectory", "chart-directory", "OKEMON_CHART_DIRECTORY", "DIR"),
    known("imageRegistry", "image-registry", "OKEMON_IMAGE_REGISTRY", "HOST/PATH"),
    known("grafana.url", "grafana-url", "OKEMON_GRAFANA_URL", "URL"),
];

impl Source {
    pub(super) fn place(&self, line: usize, column: usize) -> Place {
        Place::File { origin: self.origin.clone(), line, column }
    }
}

impl Setting {
    pub(super) fn place(&self) -> Place {
        Place::Setting(self.origin.clone())
    }
}
