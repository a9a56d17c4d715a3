"""What files and series are, by the names that people give them."""

import pytest
from VSClickCorrectLib.io.naming import Kind, kind_of, kind_of_series

FILES = {
    Kind.T1CE: "T1ce t1ce T1C T1c T1Gd T1_Gd T1-CE T1_KM ceT1 gdT1 T1post T1_post T1wCE t1_mprage_post_gad "
    "T1+C crossmoda_1_ceT1 VS_MC_RC2_001_1991-04-28_T1C contrast gad T1_contrast T1_with_contrast "
    "BraTS-t1c T1CE_brain T1_post_contrast mprage_gd sub-01_ce-gadolinium_T1w T1_C T1_to_T2_ce "
    "pre-op_T1ce post_op_T1c tumor_01_T1ce VS-SEG-001_T1ce",
    Kind.T1: "T1 t1w T1_MPRAGE mprage anna_T1 T1_postop T1_post-op t1_refT2 T1_to_T2 T1_FLAIR t1flair",
    Kind.NATIVE: "T1_pre T1_native t1n T1_nativ T1_without_contrast T1_no_contrast T1_wo_gd T1_non-contrast "
    "precontrast_T1 T1_pre_contrast T1_C- T1_Gd- t1_o_KM T1_KM-frei T1_minus_contrast",
    Kind.T2: "T2_PH T2 t2w hrT2 T2_CISS ciss fiesta drive T2_in_T1 vs_gk_t2_refT1 T2_TSE t2_ci3d_gad axT2",
    Kind.OTHER: "t2_tse_6_ph t1_ce_imaginary "
    "FLAIR T2_FLAIR T2FLAIR t2f T2-tirm t2_space_dark-fluid T2star T2* T2map T1map t1rho DWI ADC "
    "swi brain_mask BrainMask skull_mask T1ce_brain_mask aseg cochlea_seg wm_mask CT dose "
    "meningioma_mask localizer sub-04_desc-brain_mask head_mask STIR T1_brainmask",
    Kind.MASK: "mask T1C_seg T2_seg vs_gk_seg_refT1 tumour tumor_mask VS-seg segmentation initial lesion GTV "
    "VS_tumorseg T1ce_tumour",
    Kind.LABEL: "label Label dseg truth gt crossmoda_1_Label labels",
    Kind.UNKNOWN: "MPR_Cor scan image VS-SEG-001 set1 T10 data T20 p2",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind"), [(n, kind) for kind, names in FILES.items() for n in names.split()]
)
def test_a_file_is_what_its_name_says(name, kind):
    assert kind_of(name) is kind


@pytest.mark.parametrize(
    ("texts", "agent", "kind"),
    [
        (("t1_mpr_tra_gk_v4", "", "*tfl3d1"), "", Kind.T1),
        (("t1_mpr_tra_gk_v4", "", "*tfl3d1"), "Dotarem", Kind.T1CE),
        (("t1_mpr_tra", "", ""), "NONE", Kind.T1),
        (("t1_mpr post", "", ""), "", Kind.T1CE),
        (("AX T1 POST GAD", "", ""), "", Kind.T1CE),
        (("Ax T1 +C, not T2", "", "*fl3d1"), "", Kind.T1CE),
        (("t1 Sch\u00e4delbasis KM", "", ""), "", Kind.T1CE),
        (("sT1W_3D_TFE_GD", "", ""), "", Kind.T1CE),
        (("sT2W_TSE", "", ""), "", Kind.T2),
        (("t2_ci3d_tra MIP", "", ""), "", Kind.OTHER),
        (("Subtraction T1 post", "", ""), "", Kind.OTHER),
        (("T2 map", "", ""), "", Kind.OTHER),
        (("T2 star GRE", "", ""), "", Kind.OTHER),
        (("t1_mpr nativ", "", ""), "Dotarem", Kind.NATIVE),
        (("t1 without contrast", "", ""), "", Kind.NATIVE),
        (("AX T1 C-", "", ""), "", Kind.NATIVE),
        (("T1 IV-", "", ""), "", Kind.NATIVE),
        (("T1 s/gado", "", ""), "", Kind.NATIVE),
        (("AX T1 S/ Gd", "", ""), "Dotarem", Kind.NATIVE),
        (("T1 s/contraste", "", ""), "", Kind.NATIVE),
        (("T1 sin contraste", "", ""), "", Kind.NATIVE),
        (("T1 S/C", "", ""), "", Kind.NATIVE),
        (("T1 c/gado", "", ""), "", Kind.T1CE),
        (("T1 con contraste", "", ""), "", Kind.T1CE),
        (("t1_tse_tra KM- (2mm)", "", ""), "", Kind.NATIVE),
        (("T1 vor KM", "", ""), "", Kind.NATIVE),
        (("T1 pr\u00e4 KM", "", ""), "", Kind.NATIVE),
        (("t1_tse_tra o. KM", "", ""), "", Kind.NATIVE),
        (("T1 v.KM", "", ""), "", Kind.NATIVE),
        (("T1 com o contraste", "", ""), "", Kind.T1CE),
        (("T1 n. KM", "", ""), "", Kind.T1CE),
        (("T1 KM-frei", "", ""), "", Kind.NATIVE),
        (("T1 kontrastmittelfrei", "", ""), "", Kind.T1),
        (("T1 contrast-free", "", ""), "", Kind.NATIVE),
        (("T1 prior to gad", "", ""), "", Kind.NATIVE),
        (("AX T1 -C", "", ""), "", Kind.NATIVE),
        (("AX T1 (-Gd)", "", ""), "", Kind.NATIVE),
        (("T1-C", "", ""), "", Kind.T1CE),
        (("T1 un-enhanced", "", ""), "", Kind.NATIVE),
        (("Ax T1 C+", "", ""), "", Kind.T1CE),
        (("Ax T1 FSE +C", "", ""), "", Kind.T1CE),
        (("+C Ax T1", "", ""), "", Kind.T1CE),
        (("T1 nach KM", "", ""), "", Kind.T1CE),
        (("t2_ci3d_tra_1.5mm_v2_448_gad", "", "*ci3d1"), "", Kind.T2),
        (("t2_tse3d_tra_v2_384", "", "*tseR3d1rs23"), "", Kind.T2),
        (("", "", "*ci3d1"), "", Kind.T2),
        (("IAC", "T2 CISS", ""), "", Kind.T2),
        (("t2_tirm_flair", "", ""), "", Kind.OTHER),
        (("t2_spc_da-fl_sag", "", ""), "", Kind.OTHER),
        (("t2_space_dark-fluid", "", ""), "", Kind.OTHER),
        (("AX T2 FLAIR FS", "T2", ""), "", Kind.OTHER),
        (("AX T2* GRE", "", ""), "", Kind.OTHER),
        (("t1_flair", "", ""), "", Kind.T1),
        (("localizer", "", "*fl2d1"), "", Kind.OTHER),
        (("iac", "", ""), "", Kind.UNKNOWN),
        (("set1 scout", "", ""), "", Kind.OTHER),
        ((), "", Kind.UNKNOWN),
        (("AAHScout", "AAHScout", "*fl3d1_ns"), "", Kind.OTHER),
        (("AAHScout_MPR_sag", "AAHScout", "*fl3d1_ns"), "", Kind.OTHER),
        (("Mag_Images", "t2_swi3d_tra_p2", "*swi3d1r"), "", Kind.OTHER),
        (("MPR Cor", "t2_ci3d_tra_iso", "*ci3d1"), "", Kind.T2),
        (("MPR Cor", "IAC", "*ci3d1"), "", Kind.T2),
        (("MPR Cor", "t1_mprage_sag_KM", "*tfl3d1"), "", Kind.T1CE),
        (("MPR Cor", "IAC", ""), "", Kind.UNKNOWN),
        (("t1_se_tra_KM_SUB", "t1_se_tra_KM", "*se2d1"), "", Kind.OTHER),
        (("SUB: t1_vibe", "", ""), "", Kind.OTHER),
        (("T1 Suboccipital KM", "", ""), "", Kind.T1CE),
        (("sub-01 T1 KM", "", ""), "", Kind.T1CE),
        (("t1_vibe_dixon_tra_KM_F", "", ""), "", Kind.OTHER),
        (("t1_vibe_dixon_tra_KM_opp", "", ""), "", Kind.OTHER),
        (("t1_vibe_dixon_tra_KM_W", "", ""), "", Kind.T1CE),
        (("FAT: Ax T1 Flex +C", "", ""), "", Kind.OTHER),
        (("WATER: Ax T1 Flex +C", "", ""), "", Kind.T1CE),
        (("Ax T1 Fat Sat +C", "", ""), "", Kind.T1CE),
        (("T1 avant gado", "", ""), "", Kind.NATIVE),
        (("T1 avant injection de gado", "", ""), "", Kind.NATIVE),
        (("T1 senza contrasto", "", ""), "", Kind.NATIVE),
        (("T1 prima di mdc", "", ""), "", Kind.NATIVE),
        (("T1 sem contraste", "", ""), "", Kind.NATIVE),
        (("T1 zonder contrast", "", ""), "", Kind.NATIVE),
        (("T1 con mdc", "", ""), "", Kind.T1CE),
        (("T1 nach Kontrastmittel", "", ""), "", Kind.T1CE),
    ],
)
def test_a_series_is_what_its_header_says(texts, agent, kind):
    assert kind_of_series(texts, agent) is kind
