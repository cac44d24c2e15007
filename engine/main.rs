//! The program `recipes`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    recipe_engine::cli::main()
}
