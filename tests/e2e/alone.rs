//! Nothing is fetched: the tests run where no address outside this machine can be reached.

/// `tests/alone` sets it, where the system lets it make such a place.
const ALONE: &str = "OKEMON_TEST_ALONE";

#[test]
fn no_address_outside_this_machine_can_be_reached() {
    if std::env::var_os(ALONE).is_none() {
        eprintln!("not run by tests/alone: addresses outside may be reached");
        return;
    }
    let interfaces = std::fs::read_to_string("/proc/net/dev").unwrap();
    let names = interfaces.lines().filter_map(|line| line.split_once(':'));
    assert_eq!(names.map(|(name, _)| name.trim()).collect::<Vec<_>>(), ["lo"]);
    // One of the addresses that belong to nobody.
    let sent = std::net::TcpStream::connect("192.0.2.1:443").unwrap_err();
    assert_eq!(sent.kind(), std::io::ErrorKind::NetworkUnreachable);
}
