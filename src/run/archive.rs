//! Archives of charts: which chart is in one, and its fingerprint.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::tools::helm::{Archive, ChartName};

/// More than any description of a chart.
const LONGEST: u64 = 1 << 20;

/// What is known of an archive; none when it is not there or cannot be read.
pub fn read(path: &Path) -> Option<Archive> {
    let mut file = File::open(path).ok()?;
    let sha256 = sha256(&mut file)?;
    file.rewind().ok()?;
    Some(Archive { sha256, chart: chart(file) })
}

/// The fingerprint in hexadecimal; none: it cannot be read to its end.
pub fn sha256(file: &mut impl Read) -> Option<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(buffer.get(..read)?),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// What `NAME/Chart.yaml` says; none: it is no chart, or not the whole of one.
fn chart(file: File) -> Option<ChartName> {
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    let chart = described(&mut archive)?;
    // Helm packs the description first: whether the rest came too, the end of the gzip tells.
    io::copy(&mut archive.into_inner(), &mut io::sink()).ok()?;
    Some(chart)
}

fn described(archive: &mut tar::Archive<impl io::Read>) -> Option<ChartName> {
    #[derive(Deserialize)]
    struct Chart {
        name: String,
        version: String,
    }
    for entry in archive.entries().ok()? {
        let entry = entry.ok()?;
        let path = entry.path().ok()?.into_owned();
        if path.components().count() == 2 && path.ends_with("Chart.yaml") {
            let mut text = String::new();
            entry.take(LONGEST).read_to_string(&mut text).ok()?;
            let Chart { name, version } = serde_yaml::from_str(&text).ok()?;
            return Some(ChartName { name, version });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_no_archive_and_another_one_is_no_chart() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chart.tgz");
        assert!(read(&path).is_none());
        std::fs::write(&path, "abc").unwrap();
        let archive = read(&path).unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((archive.sha256.as_str(), archive.chart), (expected, None));
    }

    /// The archive of a chart, as Helm packs it.
    fn packed(files: &[(&str, &str)]) -> Vec<u8> {
        let gzip = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
        let mut archive = tar::Builder::new(gzip);
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            archive.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap()
    }

    /// The chart in a file of these bytes.
    fn chart_in(bytes: &[u8]) -> Option<ChartName> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("chart.tgz");
        std::fs::write(&path, bytes).unwrap();
        read(&path).unwrap().chart
    }

    const DESCRIPTION: (&str, &str) =
        ("thanos/Chart.yaml", "apiVersion: v2\nname: thanos\nversion: 17.3.1\n");

    #[test]
    fn a_chart_says_what_it_is() {
        let within = ("thanos/charts/minio/Chart.yaml", "name: minio\nversion: 1.0.0\n");
        let chart = chart_in(&packed(&[within, DESCRIPTION])).unwrap();
        assert_eq!((chart.name.as_str(), chart.version.as_str()), ("thanos", "17.3.1"));
    }

    #[test]
    fn an_archive_that_was_cut_short_is_no_chart() {
        // What does not repeat itself, so that much of it follows the description.
        let words = (0..100_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_string());
        let values = words.collect::<String>();
        let whole = packed(&[DESCRIPTION, ("thanos/values.yaml", &values)]);
        assert!(chart_in(&whole).is_some());
        for length in [whole.len() / 2, whole.len() - 8, whole.len() - 1] {
            assert_eq!(chart_in(&whole[..length]), None, "{length} of {}", whole.len());
        }
        // Of its right length, and yet not what was packed.
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        assert_eq!(chart_in(&damaged), None);
    }
}
