//! Installs Prometheus, Thanos and Grafana on OKE clusters by driving `helm`, `kubectl` and `oci`.
//!
//! Data flows one way:
//!
//! ```text
//! file, environment, flags -> Config -> Plan -> look -> decide -> do -> Event -> Reporter
//! ```
//!
//! [`plan`] decides and never acts; [`run`] acts and never decides; [`report`] prints.

pub mod ask;
pub mod checks;
pub mod cli;
pub mod commands;
pub mod config;
pub mod content;
pub mod diagnose;
pub mod environment;
pub mod fail;
pub mod observe;
pub mod plan;
pub mod report;
pub mod run;
pub mod status;
pub mod tools;
pub mod verify;
