//! OCI's regions: their keys, identifiers, realms, and the domain of each realm's services.
//!
//! The table is OCI's own list; which regions a tenancy is subscribed to is not known here.

use super::faults::{nearest, quoted};

/// One region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Three letters: `sin`.
    pub key: &'static str,
    /// The long name: `ap-singapore-1`.
    pub identifier: &'static str,
    /// `oc1` for the public cloud.
    pub realm: &'static str,
    /// The second-level domain of the realm's services: `oraclecloud.com`.
    pub domain: &'static str,
}

/// A name that no region has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a region of OCI; {hint}", quoted(.name))]
pub struct UnknownRegion {
    name: String,
    hint: String,
}

/// The region that has this key or identifier, in whatever case.
pub fn find(name: &str) -> Result<Region, UnknownRegion> {
    let wanted = name.to_ascii_lowercase();
    REGIONS
        .iter()
        .find(|region| [region.key, region.identifier].contains(&wanted.as_str()))
        .copied()
        .ok_or_else(|| UnknownRegion { name: name.to_owned(), hint: hint(&wanted) })
}

fn hint(wanted: &str) -> String {
    let meant = match wanted {
        // What people call them, after their cities; OCI's keys are those of the airports.
        "mum" => Some("bom"),
        "tok" => Some("nrt"),
        _ => nearest(wanted, REGIONS.iter().flat_map(|region| [region.key, region.identifier])),
    };
    let instead = "write a key such as `sin` or an identifier such as `ap-singapore-1`";
    meant.map_or_else(|| instead.to_owned(), |name| format!("did you mean `{name}`?"))
}

const fn region(
    key: &'static str,
    identifier: &'static str,
    realm: &'static str,
    domain: &'static str,
) -> Region {
    Region { key, identifier, realm, domain }
}

/// Every region, by identifier.
#[rustfmt::skip]
pub const REGIONS: &[Region] = &[
    region("lej", "af-casablanca-1", "oc1", "oraclecloud.com"),
    region("jnb", "af-johannesburg-1", "oc1", "oraclecloud.com"),
    region("hsg", "ap-batam-1", "oc1", "oraclecloud.com"),
    region("yny", "ap-chuncheon-1", "oc1", "oraclecloud.com"),
    region("onm", "ap-delhi-1", "oc1", "oraclecloud.com"),
    region("hyd", "ap-hyderabad-1", "oc1", "oraclecloud.com"),
    region("jbp", "ap-kulai-2", "oc1", "oraclecloud.com"),
    region("mel", "ap-melbourne-1", "oc1", "oraclecloud.com"),
    region("bom", "ap-mumbai-1", "oc1", "oraclecloud.com"),
    region("kix", "ap-osaka-1", "oc1", "oraclecloud.com"),
    region("icn", "ap-seoul-1", "oc1", "oraclecloud.com"),
    region("sin", "ap-singapore-1", "oc1", "oraclecloud.com"),
    region("xsp", "ap-singapore-2", "oc1", "oraclecloud.com"),
    region("syd", "ap-sydney-1", "oc1", "oraclecloud.com"),
    region("nrt", "ap-tokyo-1", "oc1", "oraclecloud.com"),
    region("yul", "ca-montreal-1", "oc1", "oraclecloud.com"),
    region("yyz", "ca-toronto-1", "oc1", "oraclecloud.com"),
    region("ams", "eu-amsterdam-1", "oc1", "oraclecloud.com"),
    region("fra", "eu-frankfurt-1", "oc1", "oraclecloud.com"),
    region("mad", "eu-madrid-1", "oc1", "oraclecloud.com"),
    region("orf", "eu-madrid-3", "oc1", "oraclecloud.com"),
    region("mrs", "eu-marseille-1", "oc1", "oraclecloud.com"),
    region("lin", "eu-milan-1", "oc1", "oraclecloud.com"),
    region("cdg", "eu-paris-1", "oc1", "oraclecloud.com"),
    region("arn", "eu-stockholm-1", "oc1", "oraclecloud.com"),
    region("nrq", "eu-turin-1", "oc1", "oraclecloud.com"),
    region("zrh", "eu-zurich-1", "oc1", "oraclecloud.com"),
    region("mtz", "il-jerusalem-1", "oc1", "oraclecloud.com"),
    region("auh", "me-abudhabi-1", "oc1", "oraclecloud.com"),
    region("dxb", "me-dubai-1", "oc1", "oraclecloud.com"),
    region("jed", "me-jeddah-1", "oc1", "oraclecloud.com"),
    region("ruh", "me-riyadh-1", "oc1", "oraclecloud.com"),
    region("mty", "mx-monterrey-1", "oc1", "oraclecloud.com"),
    region("qro", "mx-queretaro-1", "oc1", "oraclecloud.com"),
    region("bog", "sa-bogota-1", "oc1", "oraclecloud.com"),
    region("scl", "sa-santiago-1", "oc1", "oraclecloud.com"),
    region("gru", "sa-saopaulo-1", "oc1", "oraclecloud.com"),
    region("vap", "sa-valparaiso-1", "oc1", "oraclecloud.com"),
    region("vcp", "sa-vinhedo-1", "oc1", "oraclecloud.com"),
    region("cwl", "uk-cardiff-1", "oc1", "oraclecloud.com"),
    region("lhr", "uk-london-1", "oc1", "oraclecloud.com"),
    region("iad", "us-ashburn-1", "oc1", "oraclecloud.com"),
    region("ord", "us-chicago-1", "oc1", "oraclecloud.com"),
    region("phx", "us-phoenix-1", "oc1", "oraclecloud.com"),
    region("aga", "us-saltlake-2", "oc1", "oraclecloud.com"),
    region("sjc", "us-sanjose-1", "oc1", "oraclecloud.com"),
    region("lfi", "us-langley-1", "oc2", "oraclegovcloud.com"),
    region("luf", "us-luke-1", "oc2", "oraclegovcloud.com"),
    region("ric", "us-gov-ashburn-1", "oc3", "oraclegovcloud.com"),
    region("pia", "us-gov-chicago-1", "oc3", "oraclegovcloud.com"),
    region("tus", "us-gov-phoenix-1", "oc3", "oraclegovcloud.com"),
    region("brs", "uk-gov-cardiff-1", "oc4", "oraclegovcloud.uk"),
    region("ltn", "uk-gov-london-1", "oc4", "oraclegovcloud.uk"),
    region("nja", "ap-chiyoda-1", "oc8", "oraclecloud8.com"),
    region("ukb", "ap-ibaraki-1", "oc8", "oraclecloud8.com"),
    region("mct", "me-dcc-muscat-1", "oc9", "oraclecloud9.com"),
    region("ibr", "me-ibri-1", "oc9", "oraclecloud9.com"),
    region("wga", "ap-dcc-canberra-1", "oc10", "oraclecloud10.com"),
    region("ork", "eu-dcc-dublin-1", "oc14", "oraclecloud14.com"),
    region("snn", "eu-dcc-dublin-2", "oc14", "oraclecloud14.com"),
    region("bgy", "eu-dcc-milan-1", "oc14", "oraclecloud14.com"),
    region("mxp", "eu-dcc-milan-2", "oc14", "oraclecloud14.com"),
    region("dus", "eu-dcc-rating-1", "oc14", "oraclecloud14.com"),
    region("dtm", "eu-dcc-rating-2", "oc14", "oraclecloud14.com"),
    region("dac", "ap-dcc-gazipur-1", "oc15", "oraclecloud15.com"),
    region("str", "eu-frankfurt-2", "oc19", "oraclecloud.eu"),
    region("vll", "eu-madrid-2", "oc19", "oraclecloud.eu"),
    region("beg", "eu-jovanovac-1", "oc20", "oraclecloud20.com"),
    region("vve", "me-alrayyan-1", "oc21", "oraclecloud21.com"),
    region("doh", "me-dcc-doha-1", "oc21", "oraclecloud21.com"),
    region("ebb", "us-somerset-1", "oc23", "oraclecloud23.com"),
    region("ebl", "us-thames-1", "oc23", "oraclecloud23.com"),
    region("avf", "eu-crissier-1", "oc24", "oraclecloud24.com"),
    region("avz", "eu-dcc-zurich-1", "oc24", "oraclecloud24.com"),
    region("ahu", "me-abudhabi-3", "oc26", "oraclecloud26.com"),
    region("rba", "me-alain-1", "oc26", "oraclecloud26.com"),
    region("rkt", "me-abudhabi-2", "oc29", "oraclecloud29.com"),
    region("shj", "me-abudhabi-4", "oc29", "oraclecloud29.com"),
    region("bno", "ap-chuncheon-2", "oc35", "oraclecloud35.com"),
    region("dtz", "ap-seoul-2", "oc35", "oraclecloud35.com"),
    region("dln", "ap-suwon-1", "oc35", "oraclecloud35.com"),
    region("yxj", "us-ashburn-2", "oc42", "oraclecloud42.com"),
    region("pgc", "us-newark-1", "oc42", "oraclecloud42.com"),
    region("jsk", "eu-budapest-1", "oc51", "oraclecloud51.com"),
    region("hnw", "sa-riodejaneiro-1", "oc52", "oraclecloud52.com"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_region_is_found_by_its_key_and_by_its_identifier() {
        for region in REGIONS {
            assert_eq!(find(region.key), Ok(*region));
            assert_eq!(find(&region.identifier.to_uppercase()), Ok(*region));
        }
        let names: BTreeSet<_> = REGIONS.iter().flat_map(|r| [r.key, r.identifier]).collect();
        assert_eq!((REGIONS.len(), names.len()), (85, 170));
    }

    #[test]
    fn an_unknown_region_is_told_what_was_meant() {
        let table = [
            ("mum", "\"mum\" is not a region of OCI; did you mean `bom`?"),
            ("TOK", "\"TOK\" is not a region of OCI; did you mean `nrt`?"),
            (
                "ap-singapore1",
                "\"ap-singapore1\" is not a region of OCI; did you mean `ap-singapore-1`?",
            ),
            (
                "qqq",
                "\"qqq\" is not a region of OCI; write a key such as `sin` or an identifier such as \
                 `ap-singapore-1`",
            ),
        ];
        for (name, message) in table {
            assert_eq!(find(name).unwrap_err().to_string(), message);
        }
    }
}
