//! Images that cannot be had.

use insta::assert_snapshot;

use super::*;

#[test]
fn an_image_that_does_not_exist_is_final_in_the_words_of_containerd() {
    let message = r#"Back-off pulling image "quay.io/thanos/thanos:v9": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "quay.io/thanos/thanos:v9": quay.io/thanos/thanos:v9: not found"#;
    let pods = ["b", "a"].map(|name| query_pod(name, waiting("ImagePullBackOff", message)));
    assert_snapshot!(told(&[&[query()], &pods[..]].concat()), @r#"
    0 of 1 ready
    Final pod/a and 1 more: ImagePullBackOff: failed to pull and unpack image "quay.io/thanos/thanos:v9": quay.io/thanos/thanos:v9: not found (OKM-IMAGE-MISSING)
      `kubectl --context sin -n mon describe pod a` shows every try; push the image there, or name the right one with `imageRegistry` or `values`
    "#);
}

#[test]
fn an_image_that_does_not_exist_is_final_in_the_words_of_cri_o() {
    let message = "rpc error: code = Unknown desc = reading manifest v9 in quay.io/thanos/thanos: manifest unknown";
    assert_snapshot!(told(&[query(), query_pod("a", waiting("ErrImagePull", message))]), @"
    0 of 1 ready
    Final pod/a: ImagePullBackOff: reading manifest v9 in quay.io/thanos/thanos: manifest unknown (OKM-IMAGE-MISSING)
      `kubectl --context sin -n mon describe pod a` shows every try; push the image there, or name the right one with `imageRegistry` or `values`
    ");
}

#[test]
fn where_the_status_only_says_that_it_backs_off_the_event_says_why() {
    let status =
        waiting("ImagePullBackOff", r#"Back-off pulling image "quay.io/thanos/thanos:v9""#);
    let failed = warning(
        "Pod",
        "a",
        "Failed",
        r#"Failed to pull image "quay.io/thanos/thanos:v9": rpc error: code = NotFound desc = quay.io/thanos/thanos:v9: not found"#,
    );
    assert_snapshot!(told(&[query(), query_pod("a", status), failed]), @"
    0 of 1 ready
    Final pod/a: ImagePullBackOff: quay.io/thanos/thanos:v9: not found (OKM-IMAGE-MISSING)
      `kubectl --context sin -n mon describe pod a` shows every try; push the image there, or name the right one with `imageRegistry` or `values`
    ");
}

#[test]
fn a_pull_that_is_refused_may_be_allowed_later() {
    let message =
        "unable to retrieve auth token: invalid username/password: unauthorized: not found";
    assert_snapshot!(told(&[query(), query_pod("a", waiting("ErrImagePull", message))]), @"
    0 of 1 ready
    Wrong pod/a: ImagePullBackOff: quay.io/thanos/thanos:v9: unable to retrieve auth token: invalid username/password: unauthorized: not found (OKM-IMAGE-DENIED)
      `kubectl --context sin -n mon describe pod a` shows every try; name a Secret that may pull with `imagePullSecrets`, or mend the image's name
    ");
}

#[test]
fn a_throttled_registry_buys_time() {
    let message = "toomanyrequests: You have reached your pull rate limit.";
    assert_snapshot!(told(&[query(), query_pod("a", waiting("ErrImagePull", message))]), @"
    0 of 1 ready
    may take its time
    Wrong pod/a: ImagePullBackOff: quay.io/thanos/thanos:v9: toomanyrequests: You have reached your pull rate limit. (OKM-IMAGE-THROTTLED)
      `kubectl --context sin -n mon describe pod a` shows every try; it goes on by itself, and a mirror (`imageRegistry`) is not throttled
    ");
}

#[test]
fn a_registry_out_of_reach_may_come_back() {
    let message = "Get \"https://quay.io/v2/\": dial tcp: lookup quay.io: no such host";
    assert_snapshot!(told(&[query(), query_pod("a", waiting("ErrImagePull", message))]), @r#"
    0 of 1 ready
    Wrong pod/a: ImagePullBackOff: quay.io/thanos/thanos:v9: Get "https://quay.io/v2/": dial tcp: lookup quay.io: no such host (OKM-IMAGE-PULL)
      `kubectl --context sin -n mon describe pod a` shows every try; can the nodes reach the registry?
    "#);
}

#[test]
fn a_name_that_is_no_image_is_final() {
    let message =
        r#"Failed to apply default image tag "quay.io/Thanos:": couldn't parse image name"#;
    assert_snapshot!(told(&[query(), query_pod("a", waiting("InvalidImageName", message))]), @r#"
    0 of 1 ready
    Final pod/a: InvalidImageName: Failed to apply default image tag "quay.io/Thanos:": couldn't parse image name (OKM-IMAGE-NAME)
      `kubectl --context sin -n mon describe pod a` shows the image; mend it in `values`
    "#);
}
