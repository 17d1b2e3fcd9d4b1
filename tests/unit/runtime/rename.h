/*
 * Native tests: other names for the functions of the runtime, which would clash with those of the
 * C library and of libgcc. Included before anything else of the runtime, on the command line. A
 * test (check_library.py) looks for functions that are missing here.
 */
#ifndef TESTS_UNIT_RUNTIME_RENAME_H
#define TESTS_UNIT_RUNTIME_RENAME_H

/* runtime.h */
#define memcpy runtime_memcpy
#define memmove runtime_memmove
#define memset runtime_memset
#define memcmp runtime_memcmp
#define bcmp runtime_bcmp

/* integer_calls.h */
#define __udivmodti4 runtime_udivmodti4
#define __udivti3 runtime_udivti3
#define __umodti3 runtime_umodti3
#define __divmodti4 runtime_divmodti4
#define __divti3 runtime_divti3
#define __modti3 runtime_modti3
#define __multi3 runtime_multi3
#define __mulosi4 runtime_mulosi4
#define __mulodi4 runtime_mulodi4
#define __muloti4 runtime_muloti4
#define __ashlti3 runtime_ashlti3
#define __ashrti3 runtime_ashrti3
#define __lshrti3 runtime_lshrti3
#define __negti2 runtime_negti2
#define __cmpti2 runtime_cmpti2
#define __ucmpti2 runtime_ucmpti2
#define __clzsi2 runtime_clzsi2
#define __clzdi2 runtime_clzdi2
#define __clzti2 runtime_clzti2
#define __ctzsi2 runtime_ctzsi2
#define __ctzdi2 runtime_ctzdi2
#define __ctzti2 runtime_ctzti2
#define __ffssi2 runtime_ffssi2
#define __ffsdi2 runtime_ffsdi2
#define __ffsti2 runtime_ffsti2
#define __popcountsi2 runtime_popcountsi2
#define __popcountdi2 runtime_popcountdi2
#define __popcountti2 runtime_popcountti2
#define __paritysi2 runtime_paritysi2
#define __paritydi2 runtime_paritydi2
#define __parityti2 runtime_parityti2
#define __bswapsi2 runtime_bswapsi2
#define __bswapdi2 runtime_bswapdi2
#define __bswapti2 runtime_bswapti2
#define __absvsi2 runtime_absvsi2
#define __absvdi2 runtime_absvdi2
#define __absvti2 runtime_absvti2
#define __negvsi2 runtime_negvsi2
#define __negvdi2 runtime_negvdi2
#define __negvti2 runtime_negvti2
#define __addvsi3 runtime_addvsi3
#define __addvdi3 runtime_addvdi3
#define __addvti3 runtime_addvti3
#define __subvsi3 runtime_subvsi3
#define __subvdi3 runtime_subvdi3
#define __subvti3 runtime_subvti3
#define __mulvsi3 runtime_mulvsi3
#define __mulvdi3 runtime_mulvdi3
#define __mulvti3 runtime_mulvti3

/* float_calls.h */
#define __addsf3 runtime_addsf3
#define __adddf3 runtime_adddf3
#define __subsf3 runtime_subsf3
#define __subdf3 runtime_subdf3
#define __mulsf3 runtime_mulsf3
#define __muldf3 runtime_muldf3
#define __divsf3 runtime_divsf3
#define __divdf3 runtime_divdf3
#define __negsf2 runtime_negsf2
#define __negdf2 runtime_negdf2
#define __powisf2 runtime_powisf2
#define __powidf2 runtime_powidf2
#define __eqsf2 runtime_eqsf2
#define __eqdf2 runtime_eqdf2
#define __nesf2 runtime_nesf2
#define __nedf2 runtime_nedf2
#define __ltsf2 runtime_ltsf2
#define __ltdf2 runtime_ltdf2
#define __lesf2 runtime_lesf2
#define __ledf2 runtime_ledf2
#define __gtsf2 runtime_gtsf2
#define __gtdf2 runtime_gtdf2
#define __gesf2 runtime_gesf2
#define __gedf2 runtime_gedf2
#define __unordsf2 runtime_unordsf2
#define __unorddf2 runtime_unorddf2
#define __extendsfdf2 runtime_extendsfdf2
#define __truncdfsf2 runtime_truncdfsf2
#define __floatsisf runtime_floatsisf
#define __floatsidf runtime_floatsidf
#define __floatdisf runtime_floatdisf
#define __floatdidf runtime_floatdidf
#define __floattisf runtime_floattisf
#define __floattidf runtime_floattidf
#define __floatunsisf runtime_floatunsisf
#define __floatunsidf runtime_floatunsidf
#define __floatundisf runtime_floatundisf
#define __floatundidf runtime_floatundidf
#define __floatuntisf runtime_floatuntisf
#define __floatuntidf runtime_floatuntidf
#define __fixsfsi runtime_fixsfsi
#define __fixdfsi runtime_fixdfsi
#define __fixsfdi runtime_fixsfdi
#define __fixdfdi runtime_fixdfdi
#define __fixsfti runtime_fixsfti
#define __fixdfti runtime_fixdfti
#define __fixunssfsi runtime_fixunssfsi
#define __fixunsdfsi runtime_fixunsdfsi
#define __fixunssfdi runtime_fixunssfdi
#define __fixunsdfdi runtime_fixunsdfdi
#define __fixunssfti runtime_fixunssfti
#define __fixunsdfti runtime_fixunsdfti

#endif
