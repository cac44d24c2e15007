//! `recipes completion`: what a shell needs to complete commands.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Arguments, Ended, say};

/// Prints a script that lets a shell complete commands and options
///
/// bash: recipes completion bash > ~/.local/share/bash-completion/completions/recipes
///
/// zsh: recipes completion zsh > a file `_recipes` in a folder of $fpath
///
/// fish: recipes completion fish > ~/.config/fish/completions/recipes.fish
#[derive(Args, Debug)]
pub(super) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(super) fn run(self) -> anyhow::Result<Ended> {
        let mut script = Vec::new();
        generate(
            self.shell,
            &mut Arguments::command(),
            "recipes",
            &mut script,
        );
        say(&String::from_utf8(script)?)?;
        Ok(Ended::Well)
    }
}
