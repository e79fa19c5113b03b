//! A door before what is sent to the API server: it holds whoever comes.

use std::net::{TcpListener, TcpStream};

use crate::sandbox::{Sandbox, eventually};

/// A webhook that never answers: where it is asked, whoever sent the request is held.
pub(crate) struct Door(TcpListener);

impl Door {
    pub(crate) fn before_deployments_of(
        sandbox: &Sandbox,
        release: &str,
        operations: &[&str],
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        sandbox.apply(&format!(
            r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {{name: door}}
webhooks:
  - name: door.example.com
    clientConfig: {{url: "https://127.0.0.1:{port}"}}
    rules: [{{apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: {operations:?}}}]
    matchConditions: [{{name: for-real, expression: "!has(request.dryRun) || !request.dryRun"}}]
    objectSelector: {{matchLabels: {{app.kubernetes.io/instance: {release}}}}}
    timeoutSeconds: 30
    failurePolicy: Fail
    sideEffects: None
    admissionReviewVersions: [v1]
"#
        ));
        Self(listener)
    }

    /// Waits until a request is held.
    pub(crate) fn knock(&self) -> TcpStream {
        let mut held = None;
        eventually("a request is held", || {
            held = self.0.accept().ok();
            held.is_some()
        });
        held.unwrap().0
    }

    pub(crate) fn open(self, sandbox: &Sandbox) {
        sandbox.kubectl(&["delete", "validatingwebhookconfiguration", "door"]);
        drop(self.0);
    }
}
