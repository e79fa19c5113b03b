//! What a page of metrics says, as far as a hop needs it.

/// The sum of all series of a metric, in the text form of Prometheus; none: it has none.
pub fn sum(page: &str, metric: &str) -> Option<f64> {
    let value = |line: &str| {
        let rest = line.strip_prefix(metric)?;
        // `NAME 1` or `NAME{label="with } and spaces"} 1`; no longer name that begins alike.
        rest.starts_with(['{', ' ']).then_some(())?;
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    };
    page.lines().filter_map(value).fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_a_metric_are_summed_and_longer_names_are_others() {
        let page = "# HELP ups a\n# TYPE ups counter\nups{to=\"a b}\"} 2\nups{to=\"c\"} 1\nups_failed 7\nalone 1\n";
        assert_eq!(sum(page, "ups"), Some(3.0));
        assert_eq!(sum(page, "alone"), Some(1.0));
        assert_eq!(sum(page, "absent"), None);
    }
}
