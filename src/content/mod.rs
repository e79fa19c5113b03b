//! What is sent to clusters: documents, sizes, images, charts' values, manifests, dashboards. Pure.

pub mod charts;
pub mod dashboards;
pub mod doc;
pub mod images;
pub mod objects;
pub mod objstore;
pub mod sizes;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod hygiene;
