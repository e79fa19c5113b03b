//! `okemon images`: what clusters pull.

use crate::content::images::Images;

/// Every image, a line each, as `registry` mirrors them; none: where they come from.
pub fn list(registry: Option<&str>) -> String {
    Images::new(registry).all().iter().map(|image| format!("{image}\n")).collect()
}
