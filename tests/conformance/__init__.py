"""What every runtime and every task has to do, as one suite for each."""
