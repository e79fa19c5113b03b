//! Makes one readable line of what clusters, clouds and programs say.

/// The longest reason that is shown, in characters.
const LONGEST: usize = 300;

/// `word: message` in one line. What differs each time a cloud is asked again is left out, so that
/// the same fault reads the same.
pub(super) fn reason(word: &str, message: &str) -> String {
    let message = one_line(message);
    let message = cloud_error(&message).unwrap_or(message);
    let message = scheduler_says(&message);
    let message = message.rsplit(" desc = ").next().unwrap_or_default();
    if message.is_empty() || message == word {
        return word.to_owned();
    }
    head(&format!("{word}: {message}"))
}

/// The end of what a program printed before it died: there it says why.
pub(super) fn last_words(printed: &str) -> String {
    let line = one_line(printed);
    match line.char_indices().rev().nth(LONGEST / 2 - 1) {
        Some((start, _)) if start > 0 => format!("…{}", &line[start..]),
        _ => line,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn head(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// `CODE: message` of an error of an OCI service, which also says when it was asked by whom.
fn cloud_error(message: &str) -> Option<String> {
    let (_, error) = message.split_once("Error Code: ")?;
    let (code, rest) = error.split_once('.')?;
    let (_, says) = rest.split_once("Message: ")?;
    let says = says.split(" Operation Name: ").next().unwrap_or_default();
    Some(format!("{code}: {says}"))
}

/// Why no node takes a pod, without why driving others away would not help either.
fn scheduler_says(message: &str) -> &str {
    let asides = [" no new claims to deallocate,", " preemption: "];
    let ends = asides.iter().filter_map(|aside| message.find(aside));
    &message[..ends.min().unwrap_or(message.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        assert_eq!(reason("Failed", " a\n\tb  c\n"), "Failed: a b c");
        assert_eq!(reason("Error", ""), "Error");
        let long = reason("Failed", &"ä".repeat(1000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(long.ends_with("ä…"), "{long}");
    }

    #[test]
    fn the_same_error_of_a_cloud_reads_the_same_each_time() {
        let message = "Error syncing load balancer: failed to ensure load balancer: creating load balancer: \
            Error returned by LoadBalancer Service. Http Status Code: 400. Error Code: LimitExceeded. \
            Opc request id: 5E3F/8A/91. Message: The following service limits were exceeded: \
            lb-flexible-count. Request a service limit increase.\nOperation Name: CreateLoadBalancer\n\
            Timestamp: 2026-11-23 10:00:00 +0000 GMT\nClient Version: Oracle-GoSDK/65.79.0";
        assert_eq!(
            reason("SyncLoadBalancerFailed", message),
            "SyncLoadBalancerFailed: LimitExceeded: The following service limits were exceeded: \
             lb-flexible-count. Request a service limit increase."
        );
    }

    #[test]
    fn what_wraps_a_message_is_left_out() {
        assert_eq!(
            reason("ErrImagePull", "rpc error: code = NotFound desc = quay.io/a/b:c: not found"),
            "ErrImagePull: quay.io/a/b:c: not found"
        );
        assert_eq!(
            reason(
                "Unschedulable",
                "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are"
            ),
            "Unschedulable: 0/3 nodes are available: 3 Insufficient cpu."
        );
    }

    #[test]
    fn of_what_a_program_printed_the_end_stays() {
        assert_eq!(last_words("error: no such flag\n"), "error: no such flag");
        let long = last_words(&format!("{} the end", "x ".repeat(200)));
        assert_eq!(long.chars().count(), LONGEST / 2 + 1);
        assert!(long.starts_with('…') && long.ends_with("x the end"), "{long}");
    }
}
