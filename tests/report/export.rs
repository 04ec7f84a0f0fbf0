//! An export of which the last file cannot be written.

use super::store::{Place, run_of_day};
use super::store_faults::apart;

/// Exports onto disks with room for ever more files, until it works; says each time how it ended, how many entries it
/// left, and what it said.
const EVER_LARGER: &str = "set -e; mkdir disk
    for files in $(seq 3 60); do
        mount -t tmpfs -o nr_inodes=$files none disk
        code=0; $CMCOMPLY runs export --to disk/share $OPTIONS > said 2>&1 || code=$?
        echo \"$code $(ls -A disk | wc -l) $(tr '\\n' ' ' < said)\"
        umount disk
        [ $code = 2 ] || break
    done";

#[test]
fn an_export_without_its_head_is_none() {
    for (options, reason) in [("--redact", "cannot write HEAD"), ("", "cannot copy HEAD")] {
        let place = Place::new();
        place.add(&run_of_day(0), &["--store-formats=markdown"]);
        place.add(&run_of_day(1), &["--store-formats=none"]);
        let Some(said) = apart(&place, &format!("OPTIONS='{options}'\n{EVER_LARGER}")) else { return };
        let (last, failed) =
            said.trim().lines().collect::<Vec<_>>().split_last().map(|(l, f)| (*l, f.to_vec())).unwrap();
        assert!(last.starts_with("0 1 disk/share: 2 runs"), "{said}");
        assert!(failed.len() > 5 && failed.iter().all(|line| line.starts_with("2 0 ")), "nothing is left: {said}");
        assert!(failed.iter().all(|line| line.contains("nothing is exported")), "{said}");
        // HEAD is the last: where there is room for all but one file, it is the one.
        assert!(failed.last().unwrap().contains(reason), "{said}");
    }
}
