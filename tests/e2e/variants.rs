//! What the tests run with: whose charts, which Helm, whose pods.

/// Whose charts are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charts {
    Bitnami,
    Community,
}

impl Charts {
    /// Those that `OKEMON_TEST_FAMILY` names; bitnami's, unless it does.
    pub(crate) fn of_the_tests() -> Self {
        match std::env::var("OKEMON_TEST_FAMILY").as_deref() {
            Ok("community") => Self::Community,
            Ok("bitnami") | Err(_) => Self::Bitnami,
            Ok(other) => panic!("OKEMON_TEST_FAMILY is {other}; write bitnami or community"),
        }
    }

    /// As the configuration names them.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bitnami => "bitnami",
            Self::Community => "community",
        }
    }
}

/// Which Helm is first on PATH.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Helm {
    Three,
    Four,
}

impl Helm {
    /// The one that `OKEMON_TEST_HELM` names; 4, unless it does.
    pub(crate) fn of_the_tests() -> Self {
        match std::env::var("OKEMON_TEST_HELM").as_deref() {
            Ok("3") => Self::Three,
            Ok("4") | Err(_) => Self::Four,
            Ok(other) => panic!("OKEMON_TEST_HELM is {other}; write 3 or 4"),
        }
    }
}

/// Whether pods are run as processes where kwok could play them too: `OKEMON_TEST_PODS=yes`.
pub(crate) fn pods_are_run() -> bool {
    match std::env::var("OKEMON_TEST_PODS").as_deref() {
        Ok("yes") => true,
        Ok("") | Err(_) => false,
        Ok(other) => panic!("OKEMON_TEST_PODS is {other}; write yes, or nothing"),
    }
}
