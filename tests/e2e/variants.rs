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

/// Whose pods are run as processes, where a test does not care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pods {
    None,
    /// Those of the tests that each family of charts has to pass.
    OfTheFamilies,
    All,
}

impl Pods {
    /// What `OKEMON_TEST_PODS` names; none, unless it does.
    pub(crate) fn of_the_tests() -> Self {
        match std::env::var("OKEMON_TEST_PODS").as_deref() {
            Ok("all") => Self::All,
            Ok("families") => Self::OfTheFamilies,
            Ok("") | Err(_) => Self::None,
            Ok(other) => panic!("OKEMON_TEST_PODS is {other}; write families or all"),
        }
    }
}
