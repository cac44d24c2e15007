//! Files that mean harm are refused in bounded time and memory by the program itself.

use std::fs::{self, File};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

fn workspace() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    fs::create_dir_all(folder.path().join("recipes/own")).expect("folders can be made");
    let project = "title: Own\nversion: 1.0.0\n";
    fs::write(folder.path().join("recipes/own/project.yaml"), project).expect("it can be written");
    folder
}

fn check(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_recipes"))
        .arg("check")
        .args(arguments)
        .arg("--workspace")
        .arg(folder.path())
        .output()
        .expect("the program runs")
}

#[test]
fn a_file_of_100_mebibytes_is_not_read_whole() {
    let folder = workspace();
    let path = folder.path().join("recipes/own/large.yaml");
    let file = File::create(&path).expect("it can be made");
    // A hole in the file: it costs no disk, and reading it whole would cost memory.
    file.set_len(100 << 20).expect("it can grow");
    let before = Instant::now();
    let output = check(&folder, &["--format", "json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("R001"), "{text}");
    assert_eq!(output.status.code(), Some(1));
    assert!(before.elapsed() < Duration::from_secs(60));
}

#[test]
fn many_hostile_files_leave_the_others_readable() {
    let folder = workspace();
    let own = folder.path().join("recipes/own");
    let bomb: String = (1..10).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        let repeated = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("{text}a{level}: &a{level} [{repeated}]\n")
    });
    fs::write(own.join("bomb.yaml"), bomb).expect("it can be written");
    fs::write(own.join("deep.yaml"), "[".repeat(900_000)).expect("it can be written");
    fs::write(own.join("bytes.yaml"), b"title: caf\xe9\n").expect("it can be written");
    fs::write(own.join("zero.yaml"), vec![0; 1000]).expect("it can be written");
    let good = "title: Good\ntrigger: { manual: {} }\nsteps:\n  - log: Hello\n";
    fs::write(own.join("good.yaml"), good).expect("it can be written");
    let output = check(&folder, &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    for place in [
        "own/bomb.yaml",
        "own/deep.yaml",
        "own/bytes.yaml:1:11",
        "own/zero.yaml",
    ] {
        assert!(text.contains(place), "{place} in {text}");
    }
    assert!(!text.contains("good.yaml"), "{text}");
}

#[test]
fn exit_codes_tell_problems_from_misuse() {
    let folder = workspace();
    assert_eq!(check(&folder, &[]).status.code(), Some(0));
    assert_eq!(check(&folder, &["--no-such-option"]).status.code(), Some(2));
    let output = check(&folder, &["recipes/nothing.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.starts_with("error: ") && text.trim().lines().count() == 1,
        "{text}"
    );
}
