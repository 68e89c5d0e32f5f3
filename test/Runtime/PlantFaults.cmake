# Copies of lib/Runtime/JobBoard.h, each with one fault, for the test that must
# find them. Copy NAME is in the namespace qopt::runtime::NAME.
set(QOPT_PLANTED_FAULTS ${CMAKE_CURRENT_BINARY_DIR}/PlantedFaults)
set(board ${CMAKE_SOURCE_DIR}/lib/Runtime/JobBoard.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${board})

# plant_fault(NAME FROM TO): FROM must be in the header, once.
function(plant_fault name from to)
  file(READ ${board} text)
  string(FIND "${text}" "${from}" first)
  string(FIND "${text}" "${from}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "plant_fault(${name}): expected once in JobBoard.h:\n${from}")
  endif()
  string(REPLACE "${from}" "${to}" text "${text}")
  string(REPLACE "namespace qopt::runtime" "namespace qopt::runtime::${name}" text "${text}")
  string(REPLACE "QOPT_LIB_RUNTIME_JOBBOARD_H" "QOPT_${name}_JOBBOARD_H" text "${text}")
  file(CONFIGURE OUTPUT ${QOPT_PLANTED_FAULTS}/${name}/JobBoard.h CONTENT "${text}" @ONLY)
endfunction()

plant_fault(stop_between_two_looks
[[
      seen = waitForJob(seen);
      if (isStopping.load())
        return;
]]
[[
      waitForJob(seen);
      if (isStopping.load())
        return;
      seen = job.load();
]])

plant_fault(stop_wakes_too_early
[[
    job.fetch_add(1);
    System::wakeAll(job);
]]
[[
    System::wakeAll(job);
    job.fetch_add(1);
]])

plant_fault(looks_for_sleepers_too_early
[[
    job.store(number);
    if (sleepers.load() != 0)
      System::wakeAll(job);
]]
[[
    bool hasSleepers = sleepers.load() != 0;
    job.store(number);
    if (hasSleepers)
      System::wakeAll(job);
]])

plant_fault(caller_sleeps_unannounced
[[
    isCallerAsleep.store(1);
]]
[[
    ;
]])

plant_fault(old_tickets_stay
[[
      shares[owner].ticket.store(makeTicket(number, UINT32_MAX));
]]
[[
      ;
]])

plant_fault(job_before_the_task
[[
    task = newTask;
    state = newState;
    parts.store(newParts);
    pending.store(static_cast<uint32_t>(newParts));
    for (int64_t owner = 0; owner < threadCount; ++owner)
      shares[owner].ticket.store(makeTicket(number, getShareBegin(owner)));
    job.store(number);
]]
[[
    parts.store(newParts);
    pending.store(static_cast<uint32_t>(newParts));
    for (int64_t owner = 0; owner < threadCount; ++owner)
      shares[owner].ticket.store(makeTicket(number, getShareBegin(owner)));
    job.store(number);
    task = newTask;
    state = newState;
]])

plant_fault(parts_done_before_they_run
[[
      task(state, part, thread);
      ++done;
]]
[[
      ++done;
      if (thread != 0 && pending.fetch_sub(1) == 1 && isCallerAsleep.load())
        System::wakeAll(pending);
      task(state, part, thread);
      done -= thread != 0;
]])

plant_fault(ticket_taken_without_exchange
[[
      if (!ticket.compare_exchange_weak(seen, seen + 1))
        continue;
]]
[[
      ticket.store(seen + 1);
]])
