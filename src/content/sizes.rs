//! How much of everything: the one table of replicas, requests, limits and volumes.
//!
//! The documentation prints [`table_markdown`]; the charts' templates take [`Figures`] by part.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::config::Size;

/// One part of the installation, in each of the three sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: &'static str,
    small: Figures,
    medium: Figures,
    large: Figures,
}

/// What one part gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// None where something else decides: a sidecar, a `DaemonSet`, a chart that knows one only.
    pub replicas: Option<u32>,
    pub cpu: Cpu,
    pub memory: Memory,
    /// Memory alone is limited: a CPU limit only slows a query down that has idle cores to use.
    pub limit: Memory,
    pub volume: Option<Volume>,
}

/// Thousandths of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu(pub u32);

/// Mebibytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(pub u32);

/// Gibibytes. OCI's block volumes begin at 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Volume(pub u32);

impl Part {
    pub fn at(&self, size: Size) -> Figures {
        match size {
            Size::Small => self.small,
            Size::Medium => self.medium,
            Size::Large => self.large,
        }
    }

    const fn new(name: &'static str, small: Figures, medium: Figures, large: Figures) -> Self {
        Self { name, small, medium, large }
    }
}

pub const PROMETHEUS: Part = Part::new(
    "Prometheus",
    gets(500, 2 * GI, 3 * GI).times(2).on(50),
    gets(2000, 8 * GI, 12 * GI).times(2).on(200),
    gets(4000, 32 * GI, 40 * GI).times(2).on(500),
);
pub const SIDECAR: Part =
    Part::new("sidecar", gets(100, 128, 512), gets(200, 512, GI), gets(500, GI, 2 * GI));
pub const ALERTMANAGER: Part = Part::new(
    "Alertmanager",
    gets(50, 64, 256).times(2),
    gets(50, 128, 256).times(2).on(50),
    gets(100, 256, 512).times(3).on(50),
);
pub const QUERY: Part = Part::new(
    "query",
    gets(200, 512, GI).times(2),
    gets(500, 2 * GI, 4 * GI).times(2),
    gets(1000, 4 * GI, 8 * GI).times(3),
);
pub const QUERY_FRONTEND: Part = Part::new(
    "query frontend",
    gets(100, 256, 512).times(2),
    gets(200, GI, 2 * GI).times(2),
    gets(500, 2 * GI, 4 * GI).times(2),
);
pub const STORE_GATEWAY: Part = Part::new(
    "store gateway",
    gets(200, GI, 2 * GI).times(2).on(50),
    gets(500, 4 * GI, 8 * GI).times(2).on(100),
    gets(1000, 8 * GI, 16 * GI).times(3).on(200),
);
pub const COMPACTOR: Part = Part::new(
    "compactor",
    gets(200, GI, 2 * GI).times(1).on(100),
    gets(1000, 4 * GI, 8 * GI).times(1).on(200),
    gets(2000, 8 * GI, 16 * GI).times(1).on(500),
);
pub const RULER: Part = Part::new(
    "ruler",
    gets(100, 256, 512).times(2).on(50),
    gets(200, 512, GI).times(2).on(50),
    gets(500, GI, 2 * GI).times(2).on(50),
);
pub const BUCKETWEB: Part = Part::new(
    "bucketweb",
    gets(50, 64, 256).times(1),
    gets(50, 64, 256).times(1),
    gets(100, 256, GI).times(1),
);
pub const GRAFANA: Part = Part::new(
    "Grafana",
    gets(100, 256, 512).times(1).on(50),
    gets(200, 512, GI).times(1).on(50),
    gets(200, 512, GI).times(1).on(50),
);
pub const OPERATOR: Part = Part::new(
    "operator, kube-state-metrics",
    gets(50, 128, 256),
    gets(100, 256, 512),
    gets(200, GI, 2 * GI),
);
pub const NODE_EXPORTER: Part =
    Part::new("node exporter", gets(20, 32, 128), gets(20, 32, 128), gets(20, 32, 128));

/// Every part, in the table's order.
pub const ALL: [Part; 12] = [
    PROMETHEUS,
    SIDECAR,
    ALERTMANAGER,
    QUERY,
    QUERY_FRONTEND,
    STORE_GATEWAY,
    COMPACTOR,
    RULER,
    BUCKETWEB,
    GRAFANA,
    OPERATOR,
    NODE_EXPORTER,
];

/// The table as the documentation has it.
pub fn table_markdown() -> String {
    let head = [
        "| part | small: to 300,000 series | medium: to 2 million | large: to 8 million |"
            .to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    let lines: Vec<String> = head.into_iter().chain(ALL.iter().map(row)).collect();
    lines.join("\n") + "\n"
}

fn row(part: &Part) -> String {
    let sizes = [part.small, part.medium, part.large];
    let has_volume = sizes.iter().any(|figures| figures.volume.is_some());
    let [small, medium, large] = sizes.map(|figures| cell(figures, has_volume));
    format!("| {} | {small} | {medium} | {large} |", part.name)
}

fn cell(figures: Figures, has_volume: bool) -> String {
    let Figures { replicas, cpu, memory, limit, volume } = figures;
    let replicas = replicas.map(|replicas| format!("{replicas} x ")).unwrap_or_default();
    let volume = match volume {
        Some(volume) => format!(", {volume}"),
        None if has_volume => ", none".to_owned(),
        None => String::new(),
    };
    format!("{replicas}{cpu}/{memory}, {limit}{volume}")
}

/// A gibibyte in mebibytes.
const GI: u32 = 1024;

const fn gets(cpu: u32, memory: u32, limit: u32) -> Figures {
    Figures {
        replicas: None,
        cpu: Cpu(cpu),
        memory: Memory(memory),
        limit: Memory(limit),
        volume: None,
    }
}

impl Figures {
    const fn times(self, replicas: u32) -> Self {
        Self { replicas: Some(replicas), ..self }
    }

    const fn on(self, volume: u32) -> Self {
        Self { volume: Some(Volume(volume)), ..self }
    }
}

impl Memory {
    /// A part of it, as Thanos spells sizes: its `MB` is a mebibyte.
    pub fn fraction(self, of: u32) -> String {
        format!("{}MB", self.0 / of)
    }
}

impl Volume {
    /// What Prometheus may fill, in Prometheus' spelling: its `GB` is a gibibyte. The fifth that is
    /// left takes the write-ahead log and the blocks not yet deleted.
    pub fn retention_size(self) -> String {
        format!("{}GB", self.0 * 4 / 5)
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}", self.0 / 1000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(GI) {
            write!(f, "{}Gi", self.0 / GI)
        } else {
            write!(f, "{}Mi", self.0)
        }
    }
}

impl fmt::Display for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Gi", self.0)
    }
}

macro_rules! serialize_as_shown {
    ($($type:ident),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )*};
}
serialize_as_shown!(Cpu, Memory, Volume);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_contract() {
        insta::assert_snapshot!(table_markdown(), @r#"
        | part | small: to 300,000 series | medium: to 2 million | large: to 8 million |
        |---|---|---|---|
        | Prometheus | 2 x 500m/2Gi, 3Gi, 50Gi | 2 x 2/8Gi, 12Gi, 200Gi | 2 x 4/32Gi, 40Gi, 500Gi |
        | sidecar | 100m/128Mi, 512Mi | 200m/512Mi, 1Gi | 500m/1Gi, 2Gi |
        | Alertmanager | 2 x 50m/64Mi, 256Mi, none | 2 x 50m/128Mi, 256Mi, 50Gi | 3 x 100m/256Mi, 512Mi, 50Gi |
        | query | 2 x 200m/512Mi, 1Gi | 2 x 500m/2Gi, 4Gi | 3 x 1/4Gi, 8Gi |
        | query frontend | 2 x 100m/256Mi, 512Mi | 2 x 200m/1Gi, 2Gi | 2 x 500m/2Gi, 4Gi |
        | store gateway | 2 x 200m/1Gi, 2Gi, 50Gi | 2 x 500m/4Gi, 8Gi, 100Gi | 3 x 1/8Gi, 16Gi, 200Gi |
        | compactor | 1 x 200m/1Gi, 2Gi, 100Gi | 1 x 1/4Gi, 8Gi, 200Gi | 1 x 2/8Gi, 16Gi, 500Gi |
        | ruler | 2 x 100m/256Mi, 512Mi, 50Gi | 2 x 200m/512Mi, 1Gi, 50Gi | 2 x 500m/1Gi, 2Gi, 50Gi |
        | bucketweb | 1 x 50m/64Mi, 256Mi | 1 x 50m/64Mi, 256Mi | 1 x 100m/256Mi, 1Gi |
        | Grafana | 1 x 100m/256Mi, 512Mi, 50Gi | 1 x 200m/512Mi, 1Gi, 50Gi | 1 x 200m/512Mi, 1Gi, 50Gi |
        | operator, kube-state-metrics | 50m/128Mi, 256Mi | 100m/256Mi, 512Mi | 200m/1Gi, 2Gi |
        | node exporter | 20m/32Mi, 128Mi | 20m/32Mi, 128Mi | 20m/32Mi, 128Mi |
        "#);
    }

    #[test]
    fn every_volume_is_one_that_oci_can_make() {
        for part in ALL {
            for figures in [part.small, part.medium, part.large] {
                assert!(figures.volume.is_none_or(|volume| volume >= Volume(50)), "{}", part.name);
                assert!(figures.limit >= figures.memory, "{}", part.name);
            }
        }
    }

    #[test]
    fn prometheus_may_fill_four_fifths_of_its_volume() {
        let sizes = [Volume(50), Volume(200), Volume(500)].map(Volume::retention_size);
        assert_eq!(sizes, ["40GB", "160GB", "400GB"]);
    }
}
