//! What okemon says, without what differs from one run to the next.

/// The steps whose lanes run side by side, so that their lines come in any order.
const SIDE_BY_SIDE: [&str; 9] = [
    "bucket",
    "secret",
    "crds",
    "prometheus",
    "thanos",
    "storeapi",
    "admin",
    "dashboards",
    "grafana",
];

/// Durations become `T`, times `TIME`, digests `DIGEST`, a load balancer's address `ADDRESS`, the
/// random end of a pod's name `POD`; how far a wait has come is left out; the lines of lanes
/// that run side by side are sorted, and so is what is told to be done of them.
pub(crate) fn stable(text: &str) -> String {
    let counts = |line: &str| line.contains("  waiting, ") || line.contains("  still ");
    let lines = text
        .lines()
        .filter(|line| !counts(line))
        .map(|line| done(&pods(&address(&digest(&time(&duration(line)))))));
    let mut lines: Vec<String> = lines.collect();
    let beside = |line: &String| {
        let step = line.strip_prefix("sin/").and_then(|rest| rest.split_once("  "));
        step.is_some_and(|(step, _)| SIDE_BY_SIDE.contains(&step))
    };
    for block in lines.chunk_by_mut(|one, other| beside(one) && beside(other)) {
        block.sort();
    }
    lines.join("\n")
}

/// The list of the steps that are done, in the order of a plan.
fn done(line: &str) -> String {
    let Some(list) = line.strip_prefix("done: ") else { return line.to_owned() };
    let place =
        |step: &str| SIDE_BY_SIDE.iter().position(|name| step.strip_prefix("sin/") == Some(name));
    let mut steps: Vec<&str> = list.split(", ").collect();
    for block in steps.chunk_by_mut(|one, other| place(one).is_some() && place(other).is_some()) {
        block.sort_by_key(|step| place(step));
    }
    format!("done: {}", steps.join(", "))
}

/// `(1m20s)` or `(0.4 s)` at the end of a line, and `after 40 s:` within it.
fn duration(line: &str) -> String {
    if let Some((before, rest)) = line.split_once(" failed after ")
        && let Some((_, rest)) = rest.split_once(": ")
    {
        return format!("{before} failed after T: {rest}");
    }
    match line.rsplit_once(" (") {
        Some((before, took))
            if took.starts_with(|c: char| c.is_ascii_digit()) && took.ends_with("s)") =>
        {
            format!("{before} (T)")
        }
        _ => line.to_owned(),
    }
}

/// When a revision was begun, and when it is left alone no longer.
fn time(line: &str) -> String {
    let of = |word: &str| {
        let (word, end) = word.split_at(word.trim_end_matches([',', ' ']).len());
        let is_time = word.parse::<jiff::Timestamp>().is_ok();
        if is_time { format!("TIME{end}") } else { format!("{word}{end}") }
    };
    line.split_inclusive(' ').map(of).collect()
}

/// A digest of an archive: whole, or its beginning after `sha256:`.
fn digest(line: &str) -> String {
    let length =
        |word: &str| if line.contains(&format!("sha256:{word}")) { 12..=64 } else { 64..=64 };
    let is_digest = |word: &str| {
        length(word).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    match words.find(|word| is_digest(word)) {
        Some(found) => line.replace(found, "DIGEST"),
        None => line.to_owned(),
    }
}

fn address(line: &str) -> String {
    for words in [" answers at ", " loses its load balancer at "] {
        if let Some((before, rest)) = line.split_once(words) {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            return format!("{before}{words}ADDRESS{}", &rest[end..]);
        }
    }
    line.to_owned()
}

/// A Deployment's pod is named after it, a hash and five letters.
fn pods(line: &str) -> String {
    line.split_inclusive([' ', ':', '/', '`']).map(pod).collect()
}

fn pod(word: &str) -> String {
    let (name, end) = word.split_at(word.trim_end_matches([' ', ':', '/', '`']).len());
    // The letters that Kubernetes draws from, so that no word comes out.
    let random = |part: &str| part.bytes().all(|b| b"bcdfghjklmnpqrstvwxz2456789".contains(&b));
    let mut parts = name.rsplitn(3, '-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(own), Some(hash), Some(of))
            if own.len() == 5 && (8..=10).contains(&hash.len()) && random(own) && random(hash) =>
        {
            format!("{of}-POD{end}")
        }
        _ => word.to_owned(),
    }
}
