//! Golden files: what was printed before beside what is printed now.
//!
//! Always true: `UPDATE_GOLDEN=1` writes them anew; without it, a difference is a failure.

use std::fs;
use std::path::Path;

/// Compares a text with its golden file; the answer is the difference, if there is one.
pub(crate) fn differs(path: &Path, actual: &str) -> Option<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, actual).expect("the golden file can be written");
        return None;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return None;
    }
    Some(format!(
        "{} is out of date (UPDATE_GOLDEN=1 writes it anew)\n--- expected\n{expected}\n--- actual\n\
         {actual}",
        path.display()
    ))
}

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, by path, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the folder can be listed").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && name != "target" && name != ".git" {
            files.extend(files_below(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    files
}
