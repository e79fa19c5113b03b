//! Quantities as Kubernetes writes them: `100m`, `1.5`, `50Gi`.

/// A quantity in thousandths of its unit, a core or a byte; none: it is no quantity, or one beyond
/// eight pebibytes.
pub fn thousandths(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let unit = unit(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits <= 9)?;
    let whole = if whole.is_empty() && digits > 0 { 0 } else { whole.parse::<i128>().ok()? };
    let fraction = if digits == 0 { 0 } else { fraction.parse::<i128>().ok()? };
    let total = whole.checked_mul(unit)? + fraction * unit / 10_i128.pow(digits);
    i64::try_from(total).ok()
}

/// A quantity in whole bytes.
pub fn bytes(text: &str) -> Option<u64> {
    u64::try_from(thousandths(text)? / 1000).ok()
}

/// What one of a quantity with this suffix is, in thousandths.
fn unit(suffix: &str) -> Option<i128> {
    if suffix == "m" {
        return Some(1);
    }
    let power = match suffix.trim_end_matches('i') {
        "" => 0,
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    let base: i128 = if suffix.ends_with('i') { 1024 } else { 1000 };
    Some(1000 * base.pow(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_kubernetes_reads_them() {
        let read = |sizes: &[&str]| sizes.iter().map(|size| bytes(size)).collect::<Vec<_>>();
        assert_eq!(read(&["50Gi", "51200Mi"]), [Some(50 << 30); 2]);
        assert_eq!(read(&["1.5Gi", "1536Mi"]), [Some(3 << 29); 2]);
        assert_eq!(
            read(&["50G", "1Ti", "1000", "8k", "Gi", "20000000Pi", "-1Gi", "x", "", "1."]),
            [
                Some(50_000_000_000),
                Some(1 << 40),
                Some(1000),
                Some(8000),
                None,
                None,
                None,
                None,
                None,
                Some(1)
            ]
        );
    }

    #[test]
    fn shares_of_a_core_are_read_as_kubernetes_reads_them() {
        let read = |text: &str| thousandths(text);
        assert_eq!(
            ["100m", "2", "1.5", "0.25", ".5"].map(read),
            [100, 2000, 1500, 250, 500].map(Some)
        );
    }
}
