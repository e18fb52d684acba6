//! Where calibrations are kept: one JSON file a user, an entry a machine. A file that cannot be read, understood or
//! written is as good as none.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::capacity::Calibration;
use super::machine::Machine;

/// A home may be shared by many machines: the oldest go.
const MOST_KEPT: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// `None` without a home.
    file: Option<PathBuf>,
}

#[derive(Default, Serialize, Deserialize)]
struct Contents {
    calibrations: Vec<Calibration>,
}

impl Cache {
    /// In `GATEBENCH_CACHE_DIR`, else as XDG has it; `env` gives a variable's value.
    pub fn of_user(env: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let ours = env("GATEBENCH_CACHE_DIR").filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = ours.or_else(|| {
            let caches = path("XDG_CACHE_HOME").or_else(|| path("HOME").map(|home| home.join(".cache")));
            caches.map(|caches| caches.join("gatebench"))
        });
        Self { file: folder.map(|folder| folder.join("calibration.json")) }
    }

    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub fn get(&self, machine: &Machine) -> Option<Calibration> {
        self.contents().calibrations.into_iter().find(|kept| kept.machine == *machine)
    }

    /// Whoever reads meanwhile sees the old file or the new one.
    pub fn put(&self, calibration: &Calibration) -> std::io::Result<()> {
        let file = self.file.as_deref().ok_or(std::io::ErrorKind::NotFound)?;
        let folder = file.parent().ok_or(std::io::ErrorKind::NotFound)?;
        let mut contents = self.contents();
        contents.calibrations.retain(|kept| kept.machine != calibration.machine);
        contents.calibrations.insert(0, calibration.clone());
        contents.calibrations.truncate(MOST_KEPT);
        std::fs::create_dir_all(folder)?;
        let mut new = tempfile::Builder::new().prefix(".calibration-").tempfile_in(folder)?;
        new.write_all(serde_json::to_string_pretty(&contents)?.as_bytes())?;
        new.persist(file).map(drop).map_err(|failed| failed.error)
    }

    fn contents(&self) -> Contents {
        let text = self.file.as_deref().and_then(|file| std::fs::read_to_string(file).ok());
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::Rates;

    fn calibration(cores: usize, one_replica: f64) -> Calibration {
        Calibration {
            machine: Machine { cores, ..Machine::here() },
            measured_at: "2026-11-23T02:00:00Z".into(),
            closed: Rates { one_replica, all_cores: one_replica },
            open: Rates { one_replica, all_cores: one_replica },
            streamed_token: 0.1,
        }
    }

    fn cache_in(folder: &Path) -> Cache {
        Cache::of_user(|name| (name == "GATEBENCH_CACHE_DIR").then(|| folder.into()))
    }

    #[test]
    fn the_variable_of_our_own_goes_before_that_of_xdg_and_that_before_the_home() {
        let all = [("GATEBENCH_CACHE_DIR", "/ours"), ("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/u")];
        let file = |from: usize| {
            let set = &all[from..];
            let cache = Cache::of_user(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()));
            cache.file().map(|file| file.to_str().unwrap().to_owned())
        };
        assert_eq!(file(0).as_deref(), Some("/ours/calibration.json"));
        assert_eq!(file(1).as_deref(), Some("/xdg/gatebench/calibration.json"));
        assert_eq!(file(2).as_deref(), Some("/home/u/.cache/gatebench/calibration.json"));
        assert_eq!(file(3), None);
    }

    #[test]
    fn each_machine_has_its_own_calibration_and_a_new_one_takes_the_place_of_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache_in(&folder.path().join("made/when/needed"));
        assert_eq!(cache.get(&Machine::here()), None);
        for (cores, rate) in [(2, 1.0), (4, 2.0), (2, 3.0)] {
            cache.put(&calibration(cores, rate)).unwrap();
        }
        assert_eq!(cache.get(&calibration(2, 0.0).machine), Some(calibration(2, 3.0)));
        assert_eq!(cache.get(&calibration(4, 0.0).machine), Some(calibration(4, 2.0)));
        assert_eq!(cache.get(&calibration(8, 0.0).machine), None);
        (10..40).for_each(|cores| cache.put(&calibration(cores, 1.0)).unwrap());
        assert_eq!(cache.contents().calibrations.len(), MOST_KEPT);
    }

    #[test]
    fn a_file_that_says_nothing_is_no_error_and_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache_in(folder.path());
        for corrupt in ["", "{", "[]", r#"{"calibrations":[{"cpu":1}]}"#] {
            std::fs::write(cache.file().unwrap(), corrupt).unwrap();
            assert_eq!(cache.get(&Machine::here()), None, "{corrupt}");
        }
        cache.put(&calibration(2, 1.0)).unwrap();
        assert!(cache.get(&calibration(2, 1.0).machine).is_some());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the temporary file is gone");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(cache_in(&file.join("below")).put(&calibration(2, 1.0)).is_err());
        assert!(Cache::of_user(|_| None).put(&calibration(2, 1.0)).is_err());
    }
}
