;; A WASI-NN guest that misbehaves, to show that the host survives it.
;;
;;     misbehave.wasm MODE [MODEL]
;;
;; Each mode below has its name in a 16-byte slot from 0x1000 on and its function at the same place of the table; to
;; add one, take the next slot. The modes whose name starts with `nn-` make one bad WASI-NN call and leave its errno as
;; the exit code: 0 means that the host let it pass. Those of the last group need a model that the host knows by name,
;; and exit with 100 + errno where they cannot get it ready. Without a mode that it knows, the guest exits with 2.
;;
;; Memory: 0x0000 words that the host writes, 0x0100 strings and records, 0x1000 names of the modes, 0x2000 arguments.
(module $misbehave
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  (import "wasi_ephemeral_nn" "load" (func $load (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "load_by_name" (func $load_by_name (param i32 i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "init_execution_context" (func $init_execution_context (param i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "set_input" (func $set_input (param i32 i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
  (import "wasi_ephemeral_nn" "get_output" (func $get_output (param i32 i32 i32 i32 i32) (result i32)))

  (memory (export "memory") 1)
  (type $mode (func))
  (table 64 funcref)
  (global $modes i32 (i32.const 35))

  ;; ---- The arguments, and the way to the mode ----------------------------------------------------------------------

  (global $argc (mut i32) (i32.const 0))

  (func $_start (export "_start")
    (local $slot i32)
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (global.set $argc (i32.load (i32.const 0)))
    ;; Pointers go to 0x2000 and text to 0x3000: refuse what does not fit there.
    (if (i32.or (i32.gt_u (global.get $argc) (i32.const 64)) (i32.gt_u (i32.load (i32.const 4)) (i32.const 0x1000)))
      (then (call $usage)))
    (if (i32.lt_u (global.get $argc) (i32.const 2)) (then (call $usage)))
    (drop (call $args_get (i32.const 0x2000) (i32.const 0x3000)))
    (loop $next
      (if (call $same (call $argument (i32.const 1)) (call $name (local.get $slot)))
        (then
          (call_indirect (type $mode) (local.get $slot))
          (return)))
      (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $slot) (global.get $modes))))
    (call $usage))

  (func $argument (param $index i32) (result i32)
    (i32.load (i32.add (i32.const 0x2000) (i32.mul (local.get $index) (i32.const 4)))))

  (func $name (param $slot i32) (result i32)
    (i32.add (i32.const 0x1000) (i32.mul (local.get $slot) (i32.const 16))))

  (func $length (param $text i32) (result i32)
    (local $end i32)
    (local.set $end (local.get $text))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load8_u (local.get $end))))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $end) (local.get $text)))

  ;; Whether two texts that end with a zero byte are equal.
  (func $same (param $a i32) (param $b i32) (result i32)
    (loop $next
      (if (i32.ne (i32.load8_u (local.get $a)) (i32.load8_u (local.get $b))) (then (return (i32.const 0))))
      (if (i32.eqz (i32.load8_u (local.get $a))) (then (return (i32.const 1))))
      (local.set $a (i32.add (local.get $a) (i32.const 1)))
      (local.set $b (i32.add (local.get $b) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; Writes text to a stream, 1 or 2, and returns the errno.
  (func $write (param $stream i32) (param $text i32) (param $len i32) (result i32)
    (i32.store (i32.const 0x10) (local.get $text))
    (i32.store (i32.const 0x14) (local.get $len))
    (call $fd_write (local.get $stream) (i32.const 0x10) (i32.const 1) (i32.const 0x18)))

  ;; Shows the usage with the names of all modes, one per line, and exits with 2.
  (func $usage
    (local $slot i32)
    (drop (call $write (i32.const 2) (i32.const 0x100) (i32.const 44)))
    (loop $next
      (drop (call $write (i32.const 2) (call $name (local.get $slot)) (call $length (call $name (local.get $slot)))))
      (drop (call $write (i32.const 2) (i32.const 0x12b) (i32.const 1)))
      (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $slot) (global.get $modes))))
    (call $proc_exit (i32.const 2)))
  (data (i32.const 0x100) "usage: misbehave.wasm MODE [MODEL], MODE of\n")

  ;; ---- Endless, or too much ----------------------------------------------------------------------------------------

  ;; Never ends, and never calls the host.
  (data (i32.const 0x1000) "loop") (elem (i32.const 0) $loop)
  (func $loop
    (loop $again (br $again)))

  ;; Calls itself until the stack is full.
  (data (i32.const 0x1010) "recurse") (elem (i32.const 1) $recurse)
  (func $recurse
    (call $recurse))

  ;; Takes memory a page at a time and uses each; when there is no more, says so and aborts, as an allocator does.
  (data (i32.const 0x1020) "grow") (elem (i32.const 2) $grow)
  (func $grow
    (call $take_all_memory)
    (drop (call $write (i32.const 2) (i32.const 0x140) (i32.const 17)))
    (unreachable))
  (data (i32.const 0x140) "memory exhausted\n")
  (func $take_all_memory
    (local $pages i32)
    (loop $next
      (local.set $pages (memory.grow (i32.const 1)))
      (if (i32.ne (local.get $pages) (i32.const -1))
        (then
          (i32.store (i32.mul (local.get $pages) (i32.const 0x10000)) (i32.const 0x5a5a5a5a))
          (br $next)))))

  ;; Goes on asking after the host has refused.
  (data (i32.const 0x1030) "grow-forever") (elem (i32.const 3) $grow_forever)
  (func $grow_forever
    (loop $again
      (call $take_all_memory)
      (br $again)))

  ;; Prints without end.
  (data (i32.const 0x1040) "flood") (elem (i32.const 4) $flood)
  (func $flood
    (loop $again
      (br_if $again (i32.eqz (call $write (i32.const 1) (i32.const 0x160) (i32.const 64))))))
  (data (i32.const 0x160) "The quick brown fox jumps over the lazy dog, again and again...\n")

  ;; Waits an hour inside of the host, where no interruption of guest code reaches it.
  (data (i32.const 0x1050) "sleep") (elem (i32.const 5) $sleep)
  (func $sleep
    ;; A subscription: user data, clock tag, clock 1 (monotonic), timeout in ns, precision, flags (relative).
    (i32.store (i32.const 0x210) (i32.const 1))
    (i64.store (i32.const 0x218) (i64.const 3_600_000_000_000))
    (call $proc_exit (call $poll_oneoff (i32.const 0x200) (i32.const 0x240) (i32.const 1) (i32.const 0))))

  ;; Reads standard input to its end, and exits with 0, or with the errno.
  (data (i32.const 0x1060) "stdin") (elem (i32.const 6) $stdin)
  (func $stdin
    (local $errno i32)
    (i32.store (i32.const 0x10) (i32.const 0x4000))
    (i32.store (i32.const 0x14) (i32.const 0x1000))
    (loop $next
      (local.set $errno (call $fd_read (i32.const 0) (i32.const 0x10) (i32.const 1) (i32.const 0x18)))
      (br_if $next (i32.and (i32.eqz (local.get $errno)) (i32.ne (i32.load (i32.const 0x18)) (i32.const 0)))))
    (call $proc_exit (local.get $errno)))

  ;; ---- Ends, in every way there is ---------------------------------------------------------------------------------

  (data (i32.const 0x1070) "unreachable") (elem (i32.const 7) $unreachable)
  (func $unreachable
    (unreachable))

  ;; What a panic in Rust looks like from outside.
  (data (i32.const 0x1080) "panic") (elem (i32.const 8) $panic)
  (func $panic
    (drop (call $write (i32.const 2) (i32.const 0x280) (i32.const 57)))
    (unreachable))
  (data (i32.const 0x280) "thread 'main' panicked at 'misbehaving', src/main.rs:1:1\n")

  (data (i32.const 0x1090) "divide") (elem (i32.const 9) $divide)
  (func $divide
    (drop (i32.div_u (i32.const 1) (i32.const 0))))

  ;; Reads past the end of its own memory.
  (data (i32.const 0x10a0) "trap-load") (elem (i32.const 10) $trap_load)
  (func $trap_load
    (drop (i32.load (i32.const 0xfffffffc))))

  ;; Calls through an empty place of the table.
  (data (i32.const 0x10b0) "null-call") (elem (i32.const 11) $null_call)
  (func $null_call
    (call_indirect (type $mode) (i32.const 63)))

  (data (i32.const 0x10c0) "exit3") (elem (i32.const 12) $exit3)
  (func $exit3
    (call $proc_exit (i32.const 3)))

  ;; 126 and above are for the shell; a runtime may refuse them.
  (data (i32.const 0x10d0) "exit200") (elem (i32.const 13) $exit200)
  (func $exit200
    (call $proc_exit (i32.const 200)))

  ;; Prints what is no UTF-8, with half a character and no line end as the last, and succeeds.
  (data (i32.const 0x10e0) "not-utf8") (elem (i32.const 14) $not_utf8)
  (func $not_utf8
    (drop (call $write (i32.const 1) (i32.const 0x2c0) (i32.const 8))))
  (data (i32.const 0x2c0) "ok \ff\00\n\e2\82")

  ;; ---- Reaches for what it was not given ---------------------------------------------------------------------------

  ;; Exits with the number of environment variables, 99 at most.
  (data (i32.const 0x10f0) "environment") (elem (i32.const 15) $environment)
  (func $environment
    (drop (call $environ_sizes_get (i32.const 0) (i32.const 4)))
    (call $proc_exit (select (i32.const 99) (i32.load (i32.const 0)) (i32.gt_u (i32.load (i32.const 0)) (i32.const 99)))))

  ;; Creates a file by this path from the first given directory on, and exits with 0 or with the errno.
  (func $create (param $path i32) (result i32)
    (call $path_open (i32.const 3) (i32.const 1) (local.get $path) (call $length (local.get $path))
      (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 0)))

  (data (i32.const 0x1100) "write") (elem (i32.const 16) $write_inside)
  (func $write_inside
    (call $proc_exit (call $create (i32.const 0x300))))
  (data (i32.const 0x300) "misbehaved.txt\00")

  (data (i32.const 0x1110) "escape") (elem (i32.const 17) $escape)
  (func $escape
    (call $proc_exit (call $create (i32.const 0x310))))
  (data (i32.const 0x310) "../misbehaved.txt\00")

  (data (i32.const 0x1120) "escape-root") (elem (i32.const 18) $escape_root)
  (func $escape_root
    (call $proc_exit (call $create (i32.const 0x330))))
  (data (i32.const 0x330) "/tmp/misbehaved.txt\00")

  ;; Makes a link to the directory above, which may be allowed, and creates a file through it.
  (data (i32.const 0x1130) "escape-link") (elem (i32.const 19) $escape_link)
  (func $escape_link
    (local $errno i32)
    (local.set $errno (call $path_symlink (i32.const 0x350) (i32.const 2) (i32.const 3) (i32.const 0x353) (i32.const 7)))
    (if (i32.eqz (local.get $errno))
      (then
        (local.set $errno (call $create (i32.const 0x35b)))
        (drop (call $path_unlink_file (i32.const 3) (i32.const 0x353) (i32.const 7)))))
    (call $proc_exit (local.get $errno)))
  (data (i32.const 0x350) "..\00way-out\00way-out/misbehaved.txt\00")

  ;; ---- One bad WASI-NN call each -----------------------------------------------------------------------------------

  ;; 0x400: two builders with bytes that are no model, as they should look but for that.
  (data (i32.const 0x400) "\20\04\00\00\04\00\00\00" "\20\04\00\00\04\00\00\00")
  (data (i32.const 0x420) "junk")

  (data (i32.const 0x1140) "nn-junk-model") (elem (i32.const 20) $nn_junk_model)
  (func $nn_junk_model
    (call $proc_exit (call $load (i32.const 0x400) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0))))

  ;; The builder array begins 8 bytes before the end of the address space; read as signed, that is -8.
  (data (i32.const 0x1150) "nn-pointer") (elem (i32.const 21) $nn_pointer)
  (func $nn_pointer
    (call $proc_exit (call $load (i32.const 0xfffffff8) (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 0))))

  ;; 0x2000_0001 builders of 8 bytes: in 32 bits that is one builder.
  (data (i32.const 0x1160) "nn-overflow") (elem (i32.const 22) $nn_overflow)
  (func $nn_overflow
    (call $proc_exit (call $load (i32.const 0x400) (i32.const 0x20000001) (i32.const 0) (i32.const 0) (i32.const 0))))

  ;; A builder that claims all of the 4 GiB.
  (data (i32.const 0x1170) "nn-claim") (elem (i32.const 23) $nn_claim)
  (func $nn_claim
    (i32.store (i32.const 0x404) (i32.const -1))
    (call $nn_junk_model))

  (data (i32.const 0x1180) "nn-unknown") (elem (i32.const 24) $nn_unknown)
  (func $nn_unknown
    (call $proc_exit (call $load_by_name (i32.const 0x420) (i32.const 4) (i32.const 0))))

  ;; A name of which the last byte is the first one past the end of memory.
  (data (i32.const 0x1190) "nn-name") (elem (i32.const 25) $nn_name)
  (func $nn_name
    (call $proc_exit (call $load_by_name (i32.const 0xfff0) (i32.const 17) (i32.const 0))))

  (data (i32.const 0x11a0) "nn-graph") (elem (i32.const 26) $nn_graph)
  (func $nn_graph
    (call $proc_exit (call $init_execution_context (i32.const -1) (i32.const 0))))

  (data (i32.const 0x11b0) "nn-context") (elem (i32.const 27) $nn_context)
  (func $nn_context
    (call $proc_exit (call $compute (i32.const 0x7fffffff))))

  ;; ---- The same, with the model that the second argument names -----------------------------------------------------

  ;; Returns a context for the model, or exits.
  (func $context (result i32)
    (if (i32.lt_u (global.get $argc) (i32.const 3)) (then (call $usage)))
    (call $need
      (call $load_by_name (call $argument (i32.const 2)) (call $length (call $argument (i32.const 2))) (i32.const 0)))
    (call $need (call $init_execution_context (i32.load (i32.const 0)) (i32.const 4)))
    (i32.load (i32.const 4)))
  (func $need (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (i32.add (i32.const 100) (local.get $errno))))))

  ;; 0x500: a tensor record, 1x3x512x896xf32 as road-segmentation-adas-0001 takes it. Its data come after the first page.
  (data (i32.const 0x500) "\20\05\00\00\04\00\00\00" "\01\00\00\00" "\00\00\01\00" "\00\00\54\00")
  (data (i32.const 0x520) "\01\00\00\00\03\00\00\00\00\02\00\00\80\03\00\00")

  (data (i32.const 0x11c0) "nn-early") (elem (i32.const 28) $nn_early)
  (func $nn_early
    (call $proc_exit (call $compute (call $context))))

  ;; A tensor of which the data lie outside: memory has one page yet.
  (data (i32.const 0x11d0) "nn-tensor") (elem (i32.const 29) $nn_tensor)
  (func $nn_tensor
    (call $proc_exit (call $set_input (call $context) (i32.const 0) (i32.const 0x500))))

  ;; A tensor with 2^31 dimensions.
  (data (i32.const 0x11e0) "nn-dimensions") (elem (i32.const 30) $nn_dimensions)
  (func $nn_dimensions
    (i32.store (i32.const 0x504) (i32.const 0x80000000))
    (call $nn_tensor))

  ;; All there, but for a type that no dialect has.
  (data (i32.const 0x11f0) "nn-type") (elem (i32.const 31) $nn_type)
  (func $nn_type
    (call $take_tensor)
    (i32.store8 (i32.const 0x508) (i32.const 9))
    (call $nn_tensor))
  (func $take_tensor
    (if (i32.eq (memory.grow (i32.const 84)) (i32.const -1)) (then (unreachable))))

  ;; Infers, and asks for the output with a buffer of 16 bytes. Exits with 0 where the host wrote past them.
  (data (i32.const 0x1200) "nn-small-buffer") (elem (i32.const 32) $nn_small_buffer)
  (func $nn_small_buffer
    (local $context i32)
    (local $errno i32)
    (local.set $context (call $context_with_input))
    (call $need (call $compute (local.get $context)))
    (local.set $errno (call $get_output (local.get $context) (i32.const 0) (i32.const 0x4000) (i32.const 16) (i32.const 0)))
    (if (i64.ne (i64.load (i32.const 0x4010)) (i64.const 0)) (then (call $proc_exit (i32.const 0))))
    (call $proc_exit (local.get $errno)))
  (func $context_with_input (result i32)
    (local $context i32)
    (local.set $context (call $context))
    (call $take_tensor)
    (call $need (call $set_input (local.get $context) (i32.const 0) (i32.const 0x500)))
    (local.get $context))

  ;; Infers without end, to be killed in the middle of it.
  (data (i32.const 0x1210) "infer-forever") (elem (i32.const 33) $infer_forever)
  (func $infer_forever
    (local $context i32)
    (local.set $context (call $context_with_input))
    (loop $again
      (br_if $again (i32.eqz (call $compute (local.get $context)))))
    (unreachable))

  ;; A place for the handle of which the last byte is the first one past the end of memory.
  (data (i32.const 0x1220) "nn-result") (elem (i32.const 34) $nn_result)
  (func $nn_result
    (drop (call $context))
    (call $proc_exit (call $init_execution_context (i32.load (i32.const 0)) (i32.const 0xfffd)))))
