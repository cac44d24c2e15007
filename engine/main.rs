//! The program `recipes`; everything is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Gives room back that a long job no longer needs: the C library's allocator keeps it in one arena
/// per thread, so that memory grew with the size of a batch (`recipes bench W7`).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    recipe_engine::cli::main()
}
