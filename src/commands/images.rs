//! `okemon images`: what clusters pull.

use crate::config::Charts;
use crate::content::images::Images;

/// Every image, a line each, as `registry` mirrors them; none: where they come from.
pub fn list(charts: Charts, registry: Option<&str>) -> String {
    Images::new(charts, registry).all().iter().map(|image| format!("{image}\n")).collect()
}
